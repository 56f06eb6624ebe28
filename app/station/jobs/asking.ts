/** A job's requests to the server, and which failures of them are worth asking again. */
import { type ErrorCode, KaikaError, type ServerErrorCode } from '../../protocol/errors.ts';
import { toldReaderName } from '../../protocol/names.ts';
import { RefusedError, UnreachedError } from '../server/client.ts';
import type { JobPorts } from './job-ports.ts';
import type { Effect, JobEvent } from './machine/events.ts';
import { isInHand, type Phase } from './machine/phases.ts';

/** Refusals of answers that may pass: the server or its HSM recovers, somebody signs in again. All others stay. */
const PASSING_REFUSALS: ReadonlySet<ErrorCode> = new Set<ServerErrorCode>([
  'server-busy',
  'server-store-failed',
  'hsm-away',
  'hsm-key-missing',
  'session-expired',
  'internal',
]);

/** Who asks: a job that may be given up, or end, while it waits. */
export interface Asker {
  /** The job's id, for the log. */
  readonly id: string;
  readonly ports: JobPorts;
  /** Aborts when the job is to stop. */
  readonly signal: AbortSignal;
  readonly phase: () => Phase;
  /** Told of attempts that failed. */
  readonly tell: (event: JobEvent) => void;
}

/** Posts the first request until it is answered, refused or too late. Gives what came of it; never rejects. */
export function askForJob(asker: Asker, effect: Extract<Effect, { kind: 'ask-job' }>): Promise<JobEvent> {
  const { server, line, startLimitMs, token } = asker.ports;
  const send = async (signal: AbortSignal) => {
    try {
      const request = { ...effect.request, reader: toldReaderName(effect.request.reader) };
      const asked = isInHand(asker.phase()) ? request : { ...request, givenUp: true as const };
      return await server.postJob(asked, token(), signal);
    } catch (error) {
      if (!(error instanceof UnreachedError) || error.sent) asker.tell({ kind: 'attempt-lost' });
      throw error;
    }
  };
  const asked = line.ask(send, {
    signal: asker.signal,
    retry: (error) => asksForJobAgain(asker.phase(), error),
    onWait: (code) => silent(asker, code),
    ...(effect.limited ? { limitMs: startLimitMs } : {}),
  });
  return asked.then(
    (reply) => ({ kind: 'job-reply', reply }),
    (error) => notAnswered(asker, error),
  );
}

/** Posts the answers until the server replies, or refuses them for good. Gives what came of it; never rejects. */
export function askForReply(
  asker: Asker,
  { job, seq, answers }: Extract<Effect, { kind: 'ask-answers' }>,
): Promise<JobEvent> {
  const { server, line, token } = asker.ports;
  const asked = line.ask((signal) => server.postAnswers(job, seq, answers, token(), signal), {
    signal: asker.signal,
    retry: asksForReplyAgain,
    onWait: (code) => silent(asker, code),
  });
  return asked.then(
    (reply) => ({ kind: 'step-reply', reply }),
    (error) => notAnswered(asker, error),
  );
}

function silent({ ports, tell }: Asker, code: ErrorCode): void {
  tell({ kind: 'server-silent', code, at: new Date(ports.clock.now()).toISOString() });
}

function notAnswered({ id, ports, signal }: Asker, error: unknown): JobEvent {
  const known = error instanceof KaikaError ? error : new KaikaError('internal');
  if (!signal.aborted) ports.log('error', 'job error', { job: id, code: known.code });
  return { kind: 'not-answered', code: known.code, details: known.details };
}

/** What the card said must reach the server: only a refusal that will stay one ends the asking. */
function asksForReplyAgain(error: KaikaError): boolean {
  return !(error instanceof RefusedError) || PASSING_REFUSALS.has(error.code);
}

/** Before the first reply nothing was begun, so a clear no of the server's ends the job. */
function asksForJobAgain(phase: Phase, error: KaikaError): boolean {
  if (phase.kind !== 'requested') return false;
  const inHand = phase.hands.kind === 'in-hand';
  // Given up and never sent: then it need not be sent any more.
  if (!inHand && !phase.mayHaveArrived) return false;
  if (error instanceof RefusedError) {
    // A job that was given up has nobody who would sign in for it.
    return error.code === 'server-busy' || (inHand && error.code === 'session-expired');
  }
  return error.code === 'server-away' || error.code === 'server-answer-invalid';
}
