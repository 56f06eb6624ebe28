/** The HTTPS face of the key server: TLS 1.3, client certificates required, thin handlers over the job service. */
import { randomUUID } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { KaikaError } from '../../protocol/errors.ts';
import {
  API_LEVEL,
  answersRequestSchema,
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
import { toErrorBody } from './errors.ts';
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
  });

  app.setErrorHandler(async (error, request, reply) => {
    const body = toErrorBody(error, request.id);
    if (body.code === 'internal') {
      log('error', 'internal-error', {
        requestId: request.id,
        reason: error instanceof Error ? error.name : 'unknown',
      });
    }
    note(request, body.code);
    return reply.status(statusOf(body.code)).send(body);
  });
  app.setNotFoundHandler(async (request, reply) => {
    const body = toErrorBody(new KaikaError('not-found', 'no such resource'), request.id);
    return reply.status(404).send(body);
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
  const codes = new WeakMap<FastifyRequest, { code: string }>();
  const note = (request: FastifyRequest, code: string) => codes.set(request, { code });

  app.get('/v1/health', async (_request, reply: FastifyReply) =>
    reply.send({ apiLevel: API_LEVEL, status: 'ok' }),
  );

  app.post('/v1/sessions', async (request) => {
    const caller = await stationOf(context, request);
    return signIn(context.store, caller.station, parseBody(signInRequestSchema, request.body), context.now());
  });

  app.post('/v1/jobs', async (request) => {
    const caller = await operatorOf(context, request);
    return startJob(context, caller, parseBody(jobRequestSchema, request.body));
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
