/** The HTTPS face of the key server: TLS 1.3, client certificates required, thin handlers over the job service. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import Fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import { ZodError, z } from 'zod';
import { KaikaError } from '../../protocol/errors.ts';
import {
  type ReceiptsReply,
  receiptsRequestSchema,
  STORE_GENERATION_HEADER,
} from '../../protocol/receipts.ts';
import { cardSearchSchema } from '../../protocol/search.ts';
import {
  API_LEVEL,
  answersRequestSchema,
  identificationSchema,
  type JobReply,
  type JobRequest,
  jobRequestSchema,
  type StepReply,
  signInRequestSchema,
} from '../../protocol/wire.ts';
import { findSession, signIn } from '../access/sessions.ts';
import { answerStep } from '../jobs/answer-step.ts';
import type { JobContext, OperatorCaller, StationCaller } from '../jobs/context.ts';
import { startJob } from '../jobs/start-job.ts';
import { framesOf, type Log } from '../log.ts';
import { Metrics } from '../operations/metrics.ts';
import { ReadinessCheck } from '../operations/readiness.ts';
import { readCardRecord } from '../records/card-record.ts';
import { searchCards } from '../records/search.ts';
import { takeReceipts } from '../recovery/take-receipts.ts';
import { VaultError } from '../vault/port.ts';
import { codeOf, toErrorBody } from './errors.ts';
import { openApiDocument, recordQuerySchema } from './openapi.ts';
import { statusOf } from './status-codes.ts';
import { Throttle } from './throttle.ts';

export interface TlsFiles {
  readonly key: string;
  readonly cert: string;
  /** Authorities that sign stations' certificates, PEM. */
  readonly ca: string;
}

const jobParams = z.strictObject({ job: z.uuid(), seq: z.coerce.number().int().min(1).max(100_000) });
const cardParams = z.strictObject({ card: identificationSchema });

/** What is told of the server's work, and asked about it. */
export interface Watching {
  readonly metrics: Metrics;
  readonly readiness: ReadinessCheck;
}

/** Builds the server; `listen` and `close` are the caller's. */
export function buildHttpServer(
  context: JobContext,
  tls: TlsFiles,
  log: Log,
  { metrics, readiness }: Watching = {
    metrics: new Metrics(),
    readiness: new ReadinessCheck(context.store, context.vault),
  },
) {
  const throttle = new Throttle(context.limits.requestsPerSecond);
  const description = openApiDocument();
  const app = Fastify({
    https: { ...tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' },
    bodyLimit: context.limits.bodyBytes,
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
        ...(body.code === 'internal' ? { stack: framesOf(error) } : {}),
      });
    }
    codes.set(request, { code: body.code });
    metrics.add('kaika_errors_total', { code: body.code });
    return reply.status(statusOf(body.code)).send(body);
  };
  app.setErrorHandler(async (error, request, reply) => refuse(error, request, reply));
  app.setNotFoundHandler(async (request, reply) =>
    refuse(new KaikaError('not-found', 'no such resource'), request, reply),
  );
  // Replies hold key writes and card records: nothing on the way may keep them or take them for something else.
  app.addHook('onSend', async (_request, reply) => {
    void reply.headers({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      [STORE_GENERATION_HEADER]: context.storeGeneration,
      // A line that was busy when the server was told to stop would keep it alive for as long as the station keeps the line.
      ...(readiness.stopping ? { connection: 'close' } : {}),
    });
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    metrics.add('kaika_requests_total', { route, status: String(reply.statusCode) });
    metrics.observe('kaika_request_seconds', reply.elapsedTime / 1000, { route });
    log('info', 'request', {
      requestId: request.id,
      method: request.method,
      route,
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime),
      ...codes.get(request),
    });
  });

  app.get('/v1/health', async (_request, reply: FastifyReply) =>
    reply.send({ apiLevel: API_LEVEL, status: 'ok' }),
  );

  app.get('/v1/ready', async (_request, reply: FastifyReply) => {
    const found = await readiness.check();
    return reply.status(found.ready ? 200 : 503).send({ apiLevel: API_LEVEL, ...found });
  });

  app.get('/v1/openapi.json', async (_request, reply: FastifyReply) => reply.send(description));

  app.post('/v1/sessions', async (request) => {
    const { station } = await stationOf(context, request, throttle);
    const body = parseBody(signInRequestSchema, request.body);
    return signIn(context.store, station, body, context.now(), context.limits);
  });

  app.post('/v1/jobs', async (request) => {
    const caller = await operatorOf(context, request, throttle);
    const reply = await startJob(context, caller, parseJobRequest(request.body));
    metrics.add('kaika_jobs_started_total');
    noteEnd(metrics, reply);
    return reply;
  });

  app.post('/v1/jobs/:job/answers/:seq', async (request) => {
    // No operator's token: what a card said must reach the record though the operator has gone home.
    const caller = await stationOf(context, request, throttle);
    const { job, seq } = jobParams.parse(request.params);
    const body = parseBody(answersRequestSchema, request.body);
    const reply = await answerStep(context, caller, job, seq, body);
    metrics.add('kaika_steps_total');
    noteEnd(metrics, reply);
    return reply;
  });

  let takingReceipts = false;
  app.post('/v1/receipts', async (request) => {
    const caller = await stationOf(context, request, throttle);
    const { receipts } = parseBody(receiptsRequestSchema, request.body);
    // One station's at a time: after a restore all come at once, and cards at the counter need the HSM too.
    if (takingReceipts)
      throw new KaikaError('server-busy', 'the receipts of another station are being taken');
    takingReceipts = true;
    let reply: ReceiptsReply;
    try {
      reply = await takeReceipts(context, caller, receipts);
    } finally {
      takingReceipts = false;
    }
    for (const end of ['taken', 'known', 'refused'] as const)
      metrics.add('kaika_receipts_total', { end }, reply[end]);
    return reply;
  });

  app.get('/v1/cards/:card', async (request) => {
    await operatorOf(context, request, throttle);
    const { card } = cardParams.parse(request.params);
    const { before } = recordQuerySchema.parse(request.query);
    return readCardRecord(context.store, card, before);
  });

  app.get('/v1/cards', async (request) => {
    await operatorOf(context, request, throttle);
    return searchCards(context.store, cardSearchSchema.parse(request.query), context.now());
  });

  return app;
}

/** A request that is repeated is counted again: figures are for watching, the record is in the store. */
function noteEnd(metrics: Metrics, reply: JobReply | StepReply): void {
  if (!('outcome' in reply) || reply.outcome === undefined) return;
  metrics.add('kaika_jobs_total', { result: reply.outcome.result });
  metrics.add('kaika_job_trips_total', {}, reply.outcome.trips);
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
async function stationOf(
  context: JobContext,
  request: FastifyRequest,
  throttle: Throttle,
): Promise<StationCaller> {
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
  throttle.take(station.name);
  return { station: station.name };
}

/** The operator signed in at that station. @throws KaikaError `session-expired` */
async function operatorOf(
  context: JobContext,
  request: FastifyRequest,
  throttle: Throttle,
): Promise<OperatorCaller> {
  const { station } = await stationOf(context, request, throttle);
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
