/**
 * What an operation of the vault is: a name, the shape of what it takes, the shape of what it gives, and what it does over the
 * token. Client, dispatch, measuring and the table in docs/security.md are derived from these values; nothing else lists them.
 */
import type { z } from 'zod';

/** One operation, without what it does: that part needs PKCS#11, and is loaded in the vault process only (`process/run/`). */
export interface Operation {
  /** For the table in docs/security.md: what it is for. */
  readonly purpose: string;
  /** What it takes; bytes in it are wiped in the vault process when it has answered. `z.undefined()` for nothing. */
  readonly request: z.ZodType;
  readonly answer: z.ZodType;
  /** For the table: what the answer is. */
  readonly gives: string;
  /** For the table: what it refuses beside requests of another shape and keys of another role. */
  readonly refuses: readonly string[];
}

/** Operations by name. */
export type Operations = Readonly<Record<string, Operation>>;

type Arguments<Request> = undefined extends Request ? [] : [request: Request];

/** Operations as their caller sees them: a method each. Every one may reject with VaultError. */
export type CallsOf<O extends Operations> = {
  readonly [Name in keyof O]: (
    ...request: Arguments<z.input<O[Name]['request']>>
  ) => Promise<z.output<O[Name]['answer']>>;
};

/** Operations as they are carried out at a `Bench`: a function each. May throw VaultError and Pkcs11Error. */
export type RunsOf<O extends Operations, Bench> = {
  readonly [Name in keyof O]: (
    bench: Bench,
    request: z.output<O[Name]['request']>,
  ) => z.input<O[Name]['answer']>;
};

/** What carries an operation out. It is given nothing but requests that the operation's own schema let through. */
export type AnyRun<Bench> = (bench: Bench, request: unknown) => unknown;

/** The same functions, for a dispatch by name. */
export function byName<O extends Operations, Bench>(
  runs: RunsOf<O, Bench>,
): Readonly<Record<string, AnyRun<Bench>>> {
  // That a request fits its function is what the operation's schema has checked before it is called (process/dispatch.ts).
  return runs as Readonly<Record<string, AnyRun<Bench>>>;
}

/** What stands around every call: a stop watch, a limit, a turn. */
export type Around = <T>(operation: string, call: () => Promise<T>) => Promise<T>;

/** Sends one request and checks the answer. @throws VaultError */
type Ask = (operation: string, request: unknown, answer: z.ZodType) => Promise<unknown>;

/** A method for each operation. */
export function callsOf<O extends Operations>(operations: O, ask: Ask): CallsOf<O> {
  const calls: Record<string, (request?: unknown) => Promise<unknown>> = {};
  for (const [name, { answer }] of Object.entries(operations))
    calls[name] = (request) => ask(name, request, answer);
  // Each answer was checked with the very schema that its type is taken from; the compiler cannot follow a loop over names.
  return calls as CallsOf<O>;
}

/** The same methods, each with `around` about it: whatever is to happen at every operation cannot forget one. */
export function aroundEach<C extends object>(calls: C, around: Around): C {
  const wrapped: Record<string, (...request: never[]) => Promise<unknown>> = {};
  const each: readonly [string, (...request: never[]) => Promise<unknown>][] = Object.entries(calls);
  for (const [name, call] of each) wrapped[name] = (...request) => around(name, () => call(...request));
  // Every method takes and gives what it did before; the compiler cannot follow a loop over names.
  return wrapped as C;
}
