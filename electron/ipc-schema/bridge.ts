/** Both ends of the wire, derived from the schema: the window's functions, and what answers them. Electron is the caller's. */
import { z } from 'zod';
import { type ErrorCode, type ErrorDetails, KaikaError } from '../../app/protocol/errors.ts';
import {
  type Input,
  type Notification,
  notificationSchema,
  REQUEST_NAMES,
  type Reply,
  type RequestName,
  requests,
} from '../ipc-schema.ts';
import { faultSchema } from './views.ts';

export { KaikaError };

/** The channel of a request, and the one of all notifications. */
export const channelOf = (name: RequestName): string => `kaika:${name}`;
export const NOTIFICATIONS = 'kaika:notification';

export type Refusal = { readonly ok: false; readonly code: ErrorCode; readonly details: ErrorDetails };
export type Answer<T> = { readonly ok: true; readonly value: T } | Refusal;

const answerSchema = z.union([
  z.strictObject({ ok: z.literal(true), value: z.unknown() }),
  faultSchema.extend({ ok: z.literal(false) }),
]);

/** What the window has: `window.kaika`. No function rejects. */
export type Bridge = {
  readonly [N in RequestName]: (input: Input<N>) => Promise<Answer<Reply<N>>>;
} & {
  /** Calls back with each notification. Gives the function that ends it. */
  readonly onNotification: (listener: (notification: Notification) => void) => () => void;
};

/** The preload's side of Electron, or the mock's. */
export interface Wire {
  readonly invoke: (channel: string, input: unknown) => Promise<unknown>;
  readonly listen: (channel: string, listener: (value: unknown) => void) => () => void;
}

const refusal = (code: ErrorCode, details: ErrorDetails = {}): Refusal => ({ ok: false, code, details });

/**
 * The window's functions. What is not of the schema's shape does not leave (`bad-request`), and does not arrive
 * (`internal`; a notification is left out, and the gap in its numbers is noticed).
 */
export function createBridge(wire: Wire): Bridge {
  const functions = REQUEST_NAMES.map((name) => [
    name,
    async (input: unknown): Promise<Answer<unknown>> => {
      const { input: given, reply } = requests[name];
      const checked = given.safeParse(input);
      if (!checked.success) return refusal('bad-request');
      try {
        const answer = answerSchema.safeParse(await wire.invoke(channelOf(name), checked.data));
        if (!answer.success) return refusal('internal');
        if (!answer.data.ok) return answer.data;
        const value = reply.safeParse(answer.data.value);
        return value.success ? { ok: true, value: value.data } : refusal('internal');
      } catch {
        return refusal('internal');
      }
    },
  ]);
  const onNotification: Bridge['onNotification'] = (listener) =>
    wire.listen(NOTIFICATIONS, (value) => {
      const notification = notificationSchema.safeParse(value);
      if (notification.success) listener(notification.data);
    });
  return Object.freeze({ ...Object.fromEntries(functions), onNotification }) as Bridge;
}

/** What answers: one function a request. Throws KaikaError for what a person may read; anything else is `internal`. */
export type Handlers = {
  readonly [N in RequestName]: (input: Input<N>) => Promise<Reply<N>> | Reply<N>;
};

/** Answers one request. `onFault` is told what was wrong: of an input or reply its path, never a value. Never rejects. */
export function createAnswerer(
  handlers: Handlers,
  onFault: (name: RequestName, what: string) => void = () => undefined,
): (name: RequestName, input: unknown) => Promise<Answer<unknown>> {
  return async (name, input) => {
    const { input: wanted, reply } = requests[name];
    const checked = wanted.safeParse(input);
    if (!checked.success) {
      onFault(name, `input ${pathOf(checked.error)}`);
      return refusal('bad-request');
    }
    try {
      const handler = handlers[name] as (input: unknown) => unknown;
      const value = reply.safeParse(await handler(checked.data));
      if (value.success) return { ok: true, value: value.data };
      onFault(name, `reply ${pathOf(value.error)}`);
    } catch (error) {
      if (error instanceof KaikaError) return refusal(error.code, error.details);
      onFault(name, error instanceof Error ? error.name : 'not an error');
    }
    return refusal('internal');
  };
}

function pathOf(error: z.ZodError): string {
  return error.issues[0]?.path.map(String).join('.') ?? '';
}
