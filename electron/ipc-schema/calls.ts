/** The calls of the schema as types, and as a table by name: `job.start`. */
import type { z } from 'zod';
import { type Answering, type CallSchema, ipc } from '../ipc-schema.ts';

type Ipc = typeof ipc;
export type Group = keyof Ipc;
export type CallIn<G extends Group> = keyof Ipc[G]['calls'] & string;

/** `group.call` */
export type CallName = { [G in Group]: `${G}.${CallIn<G>}` }[Group];

type SchemaOf<N extends CallName> = N extends `${infer G extends Group}.${infer C}`
  ? C extends keyof Ipc[G]['calls']
    ? Ipc[G]['calls'][C]
    : never
  : never;
type Inferred<T> = T extends z.ZodType ? z.infer<T> : never;

/** What a call takes. */
export type Input<N extends CallName> =
  SchemaOf<N> extends CallSchema ? Inferred<SchemaOf<N>['input']> : never;
/** What it gives when it went well. */
export type Reply<N extends CallName> =
  SchemaOf<N> extends CallSchema ? Inferred<SchemaOf<N>['reply']> : never;

/** What answers the groups of one process or of several: one function a call. */
export type Handlers<By extends Answering = Answering> = {
  readonly [G in Group as Ipc[G]['by'] extends By ? G : never]: {
    readonly [C in CallIn<G>]: Handler<`${G}.${C}` & CallName>;
  };
};
/** Throws a KaikaError with the code that staff are told; whatever else it throws is told as `internal`. */
type Handler<N extends CallName> = (input: Input<N>) => Promise<Reply<N>> | Reply<N>;

export interface Call extends CallSchema {
  readonly name: CallName;
  readonly group: Group;
  /** Its name within the group. */
  readonly call: string;
  readonly by: Answering;
}

/** Every call there is, in the schema's order. */
export const CALLS: readonly Call[] = Object.entries(ipc).flatMap(([group, { by, calls }]) =>
  Object.entries(calls).map(([call, schema]: [string, CallSchema]) => ({
    ...schema,
    name: `${group}.${call}` as CallName,
    group: group as Group,
    call,
    by,
  })),
);

const BY_NAME: ReadonlyMap<string, Call> = new Map(CALLS.map((call) => [call.name, call]));

/** Undefined for a name that is not in the schema. */
export function callOf(name: string): Call | undefined {
  return BY_NAME.get(name);
}

/** The channel of a call, and the one of all notifications. */
export const channelOf = (name: CallName): string => `kaika:${name}`;
export const NOTIFICATIONS = 'kaika:notification';
