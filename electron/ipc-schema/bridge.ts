/** The window's end of the wire, derived from the schema: `window.kaika.job.start(…)`. Knows no Electron (`Wire` is given in), so the mock uses it too. */
import { type Notification, notificationSchema } from '../ipc-schema.ts';
import { type Answer, answerSchema, refusal } from './answer.ts';
import {
  CALLS,
  type Call,
  type CallIn,
  type CallName,
  channelOf,
  type Group,
  type Input,
  NOTIFICATIONS,
  type Reply,
} from './calls.ts';

type Asking<N extends CallName> = (input: Input<N>) => Promise<Answer<Reply<N>>>;

/** What the window has: `window.kaika`, the schema's groups. No function rejects. */
export type Bridge = {
  readonly [G in Group]: { readonly [C in CallIn<G>]: Asking<`${G}.${C}` & CallName> };
} & {
  /** Calls back with each notification. Gives the function that ends it. */
  readonly onNotification: (listener: (notification: Notification) => void) => () => void;
};

/** The preload's side of Electron, or the mock's. */
export interface Wire {
  readonly invoke: (channel: string, input: unknown) => Promise<unknown>;
  readonly listen: (channel: string, listener: (value: unknown) => void) => () => void;
}

/**
 * The window's functions. Input that does not fit the schema is not sent and answered with `bad-request`; an answer that does not
 * fit becomes `internal`. A notification that does not fit is dropped; the window notices the gap in the numbers and asks anew.
 */
export function createBridge(wire: Wire): Bridge {
  const groups = new Map<string, Record<string, (input: unknown) => Promise<Answer<unknown>>>>();
  for (const one of CALLS) {
    const group = groups.get(one.group) ?? {};
    groups.set(one.group, group);
    group[one.call] = (input) => ask(wire, one, input);
  }
  for (const group of groups.values()) Object.freeze(group);
  const onNotification: Bridge['onNotification'] = (listener) =>
    wire.listen(NOTIFICATIONS, (value) => {
      const notification = notificationSchema.safeParse(value);
      if (notification.success) listener(notification.data);
    });
  return Object.freeze({ ...Object.fromEntries(groups), onNotification }) as Bridge;
}

async function ask(wire: Wire, { name, ...schema }: Call, input: unknown): Promise<Answer<unknown>> {
  const checked = schema.input.safeParse(input);
  if (!checked.success) return refusal('bad-request');
  try {
    const answer = answerSchema.safeParse(await wire.invoke(channelOf(name), checked.data));
    if (!answer.success) return refusal('internal');
    if (!answer.data.ok) return answer.data;
    const value = schema.reply.safeParse(answer.data.value);
    return value.success ? { ok: true, value: value.data } : refusal('internal');
  } catch {
    return refusal('internal');
  }
}
