/** From a message to what carries it out. */
import { VaultError } from '../error.ts';
import { callSchema } from '../messages.ts';
import type { AnyRun, Operation, Operations } from '../operation.ts';

/** A call that was checked, ready to be carried out. */
type Work<Bench> = (bench: Bench) => unknown;

/** Checks a message. @throws VaultError `refused` for an unknown operation, or a request of another shape */
export type Dispatch<Bench> = (message: unknown) => Work<Bench>;

/** The dispatch of some operations. @throws Error when one of them has nothing that carries it out */
export function dispatchOf<Bench>(
  operations: Operations,
  runs: Readonly<Record<string, AnyRun<Bench>>>,
): Dispatch<Bench> {
  const known = new Map(
    Object.entries(operations).map(([name, operation]) => {
      const run = runs[name];
      if (run === undefined) throw new Error(`nothing carries out ${name}`);
      return [
        name,
        (request: unknown): Work<Bench> => {
          const checked = checkedRequest(operation, request);
          return (bench) => run(bench, checked);
        },
      ];
    }),
  );
  return (message) => {
    const call = callSchema.safeParse(message);
    if (!call.success) throw new VaultError('refused', 'the message is no call');
    const prepare = known.get(call.data.op);
    if (prepare === undefined) throw new VaultError('refused', 'there is no such operation');
    return prepare(call.data.request);
  };
}

/** The first fault only, and never a value: our own sentences name keys by purpose, those of zod stay here. */
function checkedRequest(operation: Operation, request: unknown): unknown {
  const checked = operation.request.safeParse(request);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  if (issue?.code === 'custom' || issue?.code === 'invalid_format')
    throw new VaultError('refused', issue.message);
  throw new VaultError('refused', `malformed request (${issue?.path.join('.') ?? ''})`);
}
