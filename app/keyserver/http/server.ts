/** The HTTPS face of the key server: TLS 1.3, client certificates required, thin handlers over the job service. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import Fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import { ZodError, z } from 'zod';
import { KaikaError } from '../../protocol/errors.ts';
import {
  API_LEVEL,
  answersRequestSchema,
  type JobRequest,
  jobRequestSchema,
  LIMITS,
  signInRequestSchema,
} from '../../protocol/wire.ts';
import { findSession, signIn } from '../access/sessions.ts';
import { answerStep } from '../jobs/answer-step.ts';
import type { JobContext, OperatorCaller, StationCaller } from '../jobs/context.ts';
import { startJob } from '../jobs/start-job.ts';
import type { Log } from '../log.ts';
import { readCardRecord } from '../records/card-record.ts';
import { VaultError } from '../vault/port.ts';
import { codeOf, toErrorBody } from './errors.ts';
import { statusOf } from './status-codes.ts';

export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
  /** Authorities that sign stations' certificates, PEM. */
  readonly ca: string;
}

const jobParams = z.strictObject({ job: z.uuid(), seq: z.coerce.number().int().min(1).max(100_000) });
const cardParams = z.strictObject({ card: z.string().regex(/^[0-9]{8,20}$/) });

/** Builds the server; `listen` and `close` are the caller's. */
export function buildHttpServer(context: JobContext, tls: TlsFiles, log: Log) {
  const app = Fastify({
    https: { ...tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' },
    bodyLimit: LIMITS.bodyBytes,
    genReqId: () => randomUUID(),
    connectionTimeout: 60_000,
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    frameworkErrors: (error: FastifyError, request, reply) => {
      void refuse(error, request, reply);
    },
    clientErrorHandler: answerGarbage,
  });

  const codes = new WeakMap<FastifyRequest, { code: string }>();
  const refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const body = toErrorBody(error, request.id);
    if (body.code === 'internal' || error instanceof VaultError) {
      log(body.code === 'internal' ? 'error' : 'warn', 'request-failed', {
        requestId: request.id,
        code: body.code,
        reason: reasonOf(error),
      });
    }
    codes.set(request, { code: body.code });
    return reply.status(statusOf(body.code)).send(body);
  };
  app.setErrorHandler(async (error, request, reply) => refuse(error, request, reply));
  app.setNotFoundHandler(async (request, reply) =>
    refuse(new KaikaError('not-found', 'no such resource'), request, reply),
  );
  // Replies hold key writes and card records: nothing on the way may keep them or take them for something else.
  app.addHook('onSend', async (_request, reply) => {
    void reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
  app.addHook('onResponse', async (request, reply) => {
    log('info', 'request', {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime),
      ...codes.get(request),
    });
  });

  app.get('/v1/health', async (_request, reply: FastifyReply) =>
    reply.send({ apiLevel: API_LEVEL, status: 'ok' }),
  );

  app.post('/v1/sessions', async (request) => {
    const caller = await stationOf(context, request);
    return signIn(context.store, caller.station, parseBody(signInRequestSchema, request.body), context.now());
  });

  app.post('/v1/jobs', async (request) => {
    const caller = await operatorOf(context, request);
    return startJob(context, caller, parseJobRequest(request.body));
  });

  app.post('/v1/jobs/:job/answers/:seq', async (request) => {
    // No operator's token: what a card said must reach the record though the operator has gone home.
    const caller = await stationOf(context, request);
    const { job, seq } = jobParams.parse(request.params);
    return answerStep(context, caller, job, seq, parseBody(answersRequestSchema, request.body));
  });

  app.get('/v1/cards/:card', async (request) => {
    await operatorOf(context, request);
    return readCardRecord(context.store, cardParams.parse(request.params).card);
  });

  return app;
}

/** @throws KaikaError `api-level-unsupported` before anything else is looked at; ZodError */
function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const level = z.looseObject({ apiLevel: z.number() }).safeParse(body);
  if (level.success && level.data.apiLevel !== API_LEVEL) {
    throw new KaikaError('api-level-unsupported', `this server speaks API level ${API_LEVEL}`, {
      server: API_LEVEL,
    });
  }
  return schema.parse(body);
}

/** What staff typed is told apart from what a station got wrong. @throws KaikaError `account-invalid`; as `parseBody` */
function parseJobRequest(body: unknown): JobRequest {
  try {
    return parseBody(jobRequestSchema, body);
  } catch (error) {
    const typed = error instanceof ZodError && error.issues.every((issue) => issue.path[0] === 'account');
    if (typed) throw new KaikaError('account-invalid', 'an account has 8 to 20 decimal digits');
    throw error;
  }
}

/** What is not HTTP never becomes a request: it gets an error body all the same, and the connection ends. */
function answerGarbage(error: Error, socket: Socket): void {
  if (codeOf(error) !== 'ECONNRESET' && socket.writable) {
    const body = JSON.stringify(toErrorBody(new KaikaError('bad-request', 'this is not HTTP'), randomUUID()));
    const headers = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close`;
    socket.write(`HTTP/1.1 400 Bad Request\r\n${headers}\r\n\r\n${body}`);
  }
  socket.destroySoon();
}

/** For the log: the vault names token, keys and faults; of anything else its class is enough. */
function reasonOf(error: unknown): string {
  if (error instanceof VaultError) return error.message;
  return error instanceof Error ? error.name : 'unknown';
}

/** The station behind the client certificate. @throws KaikaError `server-refused-certificate` */
async function stationOf(context: JobContext, request: FastifyRequest): Promise<StationCaller> {
  const socket = request.raw.socket;
  const fingerprint = isTls(socket)
    ? socket.getPeerCertificate().fingerprint256?.replaceAll(':', '')
    : undefined;
  const station =
    fingerprint === undefined
      ? undefined
      : await context.store
          .selectFrom('stations')
          .selectAll()
          .where('fingerprint', '=', fingerprint)
          .executeTakeFirst();
  if (station === undefined || station.revoked !== 0) {
    throw new KaikaError('server-refused-certificate', 'this certificate is not an enrolled station');
  }
  return { station: station.name };
}

/** The operator signed in at that station. @throws KaikaError `session-expired` */
async function operatorOf(context: JobContext, request: FastifyRequest): Promise<OperatorCaller> {
  const { station } = await stationOf(context, request);
  const token = /^Bearer ([A-Za-z0-9_-]{20,100})$/.exec(request.headers.authorization ?? '')?.[1];
  const session = token === undefined ? undefined : await findSession(context.store, token, context.now());
  if (session === undefined || session.station !== station) {
    throw new KaikaError('session-expired', 'sign in first');
  }
  return { station, operator: session.operator };
}

function isTls(socket: unknown): socket is TLSSocket {
  return typeof socket === 'object' && socket !== null && 'getPeerCertificate' in socket;
}
