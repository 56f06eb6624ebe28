/** The HTTPS face of the key server: TLS 1.3, client certificates required, one route for each endpoint of the table. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import Fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import { KaikaError } from '../../protocol/errors.ts';
import { STORE_GENERATION_HEADER } from '../../protocol/receipts.ts';
import { Authority } from '../access/authority.ts';
import { Throttle } from '../access/throttle.ts';
import { codeOf } from '../error-code.ts';
import type { JobContext } from '../jobs/context.ts';
import { framesOf, type Log } from '../log.ts';
import { Metrics } from '../operations/metrics.ts';
import { ReadinessCheck } from '../operations/readiness.ts';
import type { TlsFiles } from '../tls-files.ts';
import { VaultError } from '../vault/error.ts';
import type { RawRequest } from './endpoint.ts';
import { ENDPOINTS } from './endpoints.ts';
import { toErrorBody } from './errors.ts';
import { OneAtATime } from './one-at-a-time.ts';
import { openApiDocument } from './openapi.ts';
import { doorkeeper, type Service } from './service.ts';
import { statusOf } from './status-codes.ts';

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
    logFault(log, error, body);
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

  const authority = new Authority(context);
  const service: Service = {
    context,
    authority,
    metrics,
    readiness,
    receipts: new OneAtATime(),
    description: openApiDocument(ENDPOINTS),
    whoAsks: doorkeeper(authority, new Throttle(context.limits.requestsPerSecond)),
  };
  for (const { method, path, answer } of ENDPOINTS)
    app.route({
      method,
      url: path.replace(/\{(\w+)\}/g, ':$1'),
      handler: async (request, reply) => {
        const { status, reply: body } = await answer(service, rawOf(request));
        return reply.status(status).send(body);
      },
    });
  return app;
}

/** What the request shows of its sender, and its parts as they came. */
function rawOf(request: FastifyRequest): RawRequest {
  const { socket } = request.raw;
  return {
    fingerprint: isTls(socket) ? socket.getPeerCertificate().fingerprint256?.replaceAll(':', '') : undefined,
    token: /^Bearer ([A-Za-z0-9_-]{20,100})$/.exec(request.headers.authorization ?? '')?.[1],
    params: request.params,
    query: request.query,
    body: request.body,
  };
}

function isTls(socket: unknown): socket is TLSSocket {
  return typeof socket === 'object' && socket !== null && 'getPeerCertificate' in socket;
}

/** A fault of the program with its places in it; of the vault with its own sentence, which names token, keys and faults. */
function logFault(log: Log, error: unknown, { code, requestId }: { code: string; requestId: string }): void {
  const reason = error instanceof Error ? error.name : 'unknown';
  if (error instanceof VaultError) {
    log(code === 'internal' ? 'error' : 'warn', 'request-failed', {
      requestId,
      code,
      reason: error.message,
    });
  } else if (code === 'internal')
    log('error', 'request-failed', { requestId, code, reason, stack: framesOf(error) });
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
