/** What a job needs of its surroundings, and the rules of asking the server. */
import type { ErrorCode, KaikaError, ServerErrorCode } from '../../protocol/errors.ts';
import type { Batch, StepName } from '../../protocol/wire.ts';
import type { Clock, Log } from '../ports.ts';
import { RefusedError, type ServerClient } from '../server/client.ts';
import type { ServerLine } from '../server/line.ts';
import type { Journal } from './journal.ts';

export interface JobPorts {
  readonly journal: Journal;
  readonly server: ServerClient;
  readonly line: ServerLine;
  readonly clock: Clock;
  readonly log: Log;
  /** The session token to send; undefined when nobody is signed in. */
  readonly token: () => string | undefined;
  /** Told the id of the job whose view changed. */
  readonly onChange: (job: string) => void;
  /** Milliseconds after which a first request without an answer is given up. */
  readonly startLimitMs: number;
}

/** Refusals of answers that may pass: the server or its HSM recovers, the station is enrolled again. All others stay. */
const PASSING_REFUSALS: ReadonlySet<ErrorCode> = new Set<ServerErrorCode>([
  'server-busy',
  'server-store-failed',
  'hsm-away',
  'hsm-key-missing',
  'session-expired',
  'internal',
]);

const KEY_WRITES: ReadonlySet<StepName> = new Set([
  'write-maintenance-key',
  'write-master-control-key',
  'write-domain-keys',
]);

/** What the card said must reach the server: only a refusal that will stay one ends the asking. */
export function retriesAnswers(error: KaikaError): boolean {
  return !(error instanceof RefusedError) || PASSING_REFUSALS.has(error.code);
}

/**
 * Before the first reply nothing was begun, so a clear no ends the job. `waitsForSignIn`: somebody is there to sign in again, for a job
 * that is not given up.
 */
export function retriesRequest(error: KaikaError, waitsForSignIn: boolean): boolean {
  if (error instanceof RefusedError) {
    return error.code === 'server-busy' || (waitsForSignIn && error.code === 'session-expired');
  }
  return error.code === 'server-away' || error.code === 'server-answer-invalid';
}

/** Whether the batch carries new keys, if enciphered ones. */
export function holdsKeyWrite(batch: Batch): boolean {
  return batch.commands.some((command) => KEY_WRITES.has(command.label.step));
}

/** Whether anything in the batch changes the card or spends a try. */
export function holdsEffect(batch: Batch): boolean {
  return batch.commands.some((command) => command.effect === true);
}
