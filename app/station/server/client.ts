/** Speaks to the key server: HTTPS with mutual TLS 1.3, one request at a time, every reply checked against its schema. */
import { X509Certificate } from 'node:crypto';
import type { z } from 'zod';
import { type CardRecord, cardRecordSchema } from '../../protocol/card-record.ts';
import { type ErrorDetails, errorBodySchema, KaikaError, SERVER_ERRORS } from '../../protocol/errors.ts';
import { type ReceiptsReply, type ReceiptsRequest, receiptsReplySchema } from '../../protocol/receipts.ts';
import { type CurrentSession, currentSessionSchema } from '../../protocol/server-state.ts';
import {
  type AnswersRequest,
  type JobReply,
  type JobRequest,
  jobReplySchema,
  type SignInReply,
  type SignInRequest,
  type StepReply,
  signInReplySchema,
  stepReplySchema,
} from '../../protocol/wire.ts';
import type { Clock } from '../ports.ts';
import type { HttpsLineOptions, LineAnswer } from './https-line.ts';
import { OriginLines } from './origin-lines.ts';
import { codeOfTransportError, type TimeEvidence, type Validity } from './tls-faults.ts';

/** The server's own refusal, as opposed to not reaching it. */
export class RefusedError extends KaikaError {
  readonly status: number;
  constructor(code: KaikaError['code'], message: string, details: ErrorDetails, status: number) {
    super(code, message, details);
    this.name = 'RefusedError';
    this.status = status;
  }
}

/** No answer came. `sent`: the request may nevertheless have arrived. */
export class UnreachedError extends KaikaError {
  readonly sent: boolean;
  constructor(code: KaikaError['code'], message: string, sent: boolean) {
    super(code, message);
    this.name = 'UnreachedError';
    this.sent = sent;
  }
}

/** The requests a station makes. Each rejects with KaikaError; RefusedError when the server itself said no. */
export interface ServerClient {
  signIn(request: SignInRequest, signal?: AbortSignal): Promise<SignInReply>;
  postJob(request: JobRequest, token: string | undefined, signal?: AbortSignal): Promise<JobReply>;
  postAnswers(
    job: string,
    seq: number,
    request: AnswersRequest,
    token: string | undefined,
    signal?: AbortSignal,
  ): Promise<StepReply>;
  /** Gives back what the server told before its store was restored. */
  postReceipts(request: ReceiptsRequest, signal?: AbortSignal): Promise<ReceiptsReply>;
  card(identification: string, token: string | undefined, signal?: AbortSignal): Promise<CardRecord>;
  /** Who is signed in with this token. Nothing hangs on it, so it is what a station asks only to hear whether the server is there. */
  currentSession(token: string | undefined, signal?: AbortSignal): Promise<CurrentSession>;
  close(): void;
}

/** The time of a server that was verified, and how far ahead of it our clock was, in milliseconds. */
export interface HeardTime {
  readonly serverTime: number;
  readonly ahead: number;
}

export interface HttpsClientOptions extends Omit<HttpsLineOptions, 'origin'> {
  /** The server's instances, `https://host[:port]` each. The one that answered last is asked; the next one when it is away. */
  readonly origins: readonly string[];
  readonly clock: Pick<Clock, 'now'>;
  /** What an earlier run heard; `onTime` is told what this one hears, for keeping. */
  readonly heard?: HeardTime;
  readonly onTime?: (heard: HeardTime) => void;
  /** Told the generation of the server's store, with every answer. */
  readonly onStoreGeneration?: (generation: number) => void;
}

/** @throws Error when the certificates of the configuration cannot be read. */
export function createServerClient(options: HttpsClientOptions): ServerClient {
  const own = validityOf(options.cert);
  const ca = validityOf(options.ca);
  let heard = options.heard;
  const lines = new OriginLines(options, options.origins);

  const evidence = (): TimeEvidence => ({
    now: options.clock.now(),
    own,
    ca,
    ...(heard === undefined ? {} : { heard }),
  });

  const isAway = (answer: LineAnswer): boolean =>
    answer.kind === 'answered'
      ? // One that is there, but whose HSM, store or balancer is not.
        answer.status >= 502 && answer.status <= 504
      : !answer.refusedAfterHandshake && codeOfTransportError(answer.code, evidence()) === 'server-away';

  async function ask<T>(
    schema: z.ZodType<T>,
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const answer = await lines.request(
      { method, path, body: body === undefined ? undefined : JSON.stringify(body), token },
      isAway,
      signal,
    );
    if (answer.kind === 'failed') {
      if (answer.refusedAfterHandshake) {
        throw new UnreachedError('server-refused-certificate', 'closed after the handshake', false);
      }
      const code = codeOfTransportError(answer.code, evidence());
      throw new UnreachedError(code, answer.code, answer.sent && code !== 'server-refused-certificate');
    }
    const date = answer.date === undefined ? Number.NaN : Date.parse(answer.date);
    if (!Number.isNaN(date)) {
      heard = { serverTime: date, ahead: options.clock.now() - date };
      options.onTime?.(heard);
    }
    if (/^[1-9][0-9]{0,14}$/.test(answer.storeGeneration ?? ''))
      options.onStoreGeneration?.(Number(answer.storeGeneration));
    if (answer.status < 200 || answer.status > 299) throw refusal(answer.status, answer.body);
    const value = schema.safeParse(parseJson(answer.body));
    if (!value.success) throw new KaikaError('server-answer-invalid', fieldOf(value.error));
    return value.data;
  }

  return {
    signIn: (request, signal) => ask(signInReplySchema, 'POST', '/v1/sessions', request, undefined, signal),
    postJob: async (request, token, signal) => {
      const reply = await ask(jobReplySchema, 'POST', '/v1/jobs', request, token, signal);
      if ((reply.batch === undefined) === (reply.outcome === undefined)) {
        throw new KaikaError('server-answer-invalid', 'neither batch nor outcome, or both');
      }
      return reply;
    },
    postAnswers: (job, seq, request, token, signal) =>
      ask(
        stepReplySchema,
        'POST',
        `/v1/jobs/${encodeURIComponent(job)}/answers/${seq}`,
        request,
        token,
        signal,
      ),
    postReceipts: (request, signal) =>
      ask(receiptsReplySchema, 'POST', '/v1/receipts', request, undefined, signal),
    card: (identification, token, signal) =>
      ask(
        cardRecordSchema,
        'GET',
        `/v1/cards/${encodeURIComponent(identification)}`,
        undefined,
        token,
        signal,
      ),
    currentSession: (token, signal) =>
      ask(currentSessionSchema, 'GET', '/v1/sessions/current', undefined, token, signal),
    close: () => lines.close(),
  };
}

function refusal(status: number, body: string): KaikaError {
  const parsed = errorBodySchema.safeParse(parseJson(body));
  const theirs: readonly string[] = SERVER_ERRORS;
  if (!parsed.success) return new KaikaError('server-answer-invalid', `status ${status}`);
  const { code, message, details } = parsed.data;
  // The one code of ours that a server may say: it let the handshake pass to be able to.
  if (code === 'server-refused-certificate') return new KaikaError(code, message);
  if (!theirs.includes(code)) return new KaikaError('server-answer-invalid', `status ${status}, ${code}`);
  return new RefusedError(code, message, details ?? {}, status);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Which field was wrong, never its value. */
function fieldOf(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'invalid' : `${issue.path.join('.')}: ${issue.code}`;
}

function validityOf(pem: string): Validity {
  const certificate = new X509Certificate(pem);
  return { notBefore: Date.parse(certificate.validFrom), notAfter: Date.parse(certificate.validTo) };
}
