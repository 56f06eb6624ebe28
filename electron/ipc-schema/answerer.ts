/** The answering end of the wire, derived from the schema; the same in main, in the engine and in the mock. */
import type { z } from 'zod';
import { KaikaError } from '../../app/protocol/errors.ts';
import type { Answering } from '../ipc-schema.ts';
import { type Answer, refusal } from './answer.ts';
import { type CallName, callOf, type Handlers } from './calls.ts';

/** Does what a call asks for. Its input has been checked, its reply will be. */
export type Run = (name: CallName, input: unknown) => unknown;

/**
 * The handlers of one process as one function; calls of other groups go to `others`, from main to the engine.
 * @throws KaikaError bad-request for a call that nobody here answers
 */
export function runWith<By extends Answering>(handlers: Handlers<By>, others: Run = nobody): Run {
  const groups = new Map(Object.entries(handlers));
  return (name, input) => {
    const [group = '', call = ''] = name.split('.');
    const own = groups.get(group) as Readonly<Record<string, (input: unknown) => unknown>> | undefined;
    return own?.[call] === undefined ? others(name, input) : own[call](input);
  };
}

const nobody: Run = () => {
  throw new KaikaError('bad-request');
};

/** Answers one call, whatever its name and input. Never rejects. */
export type Answerer = (name: string, input: unknown) => Promise<Answer<unknown>>;

/** `onFault` is told what was wrong: of an input or reply its path, never a value. */
export function createAnswerer(
  run: Run,
  onFault: (name: string, what: string) => void = () => undefined,
): Answerer {
  return async (name, input) => {
    const call = callOf(name);
    const checked = call?.input.safeParse(input);
    if (call === undefined || checked?.success !== true) {
      onFault(name, checked?.success === false ? `input ${pathOf(checked.error)}` : 'unknown');
      return refusal('bad-request');
    }
    try {
      const value = call.reply.safeParse(await run(call.name, checked.data));
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
