/**
 * The HTTPS face of the key server: TLS 1.3, client certificates required, one route for each endpoint of the table. A request is looked at in this
 * order, and the first refusal ends it: the line it came on, its certificate, how often that one asks, what it asks for, who asks; then how long its
 * body is, then how deep, and only then is the body parsed.
 */
import { constants, randomUUID } from 'node:crypto';
import Fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import { KaikaError } from '../../protocol/errors.ts';
import { STORE_GENERATION_HEADER } from '../../protocol/receipts.ts';
import { Authority } from '../access/authority.ts';
import { Throttle } from '../access/throttle.ts';
import type { JobContext } from '../jobs/context.ts';
import { framesOf, type Log } from '../log.ts';
import { Metrics } from '../operations/metrics.ts';
import { ReadinessCheck } from '../operations/readiness.ts';
import type { TlsFiles } from '../tls-files.ts';
import { VaultError } from '../vault/error.ts';
import { faultOfShape } from './body.ts';
import type { Entered } from './endpoint.ts';
import { ENDPOINTS } from './endpoints.ts';
import { toErrorBody } from './errors.ts';
import { FairTurns } from './fair-turns.ts';
import { answerGarbage } from './garbage.ts';
import { CHECK_MS, HANDSHAKE_MS, HEADERS_MS, Lines, REQUEST_MS } from './lines.ts';
import { openApiDocument } from './openapi.ts';
import { type Peer, peerOf } from './peer.ts';
import { type Credentials, doorkeeper, type Service } from './service.ts';
import { statusOf } from './status-codes.ts';

/** What is told of the server's work, and asked about it. */
export interface Watching {
  readonly metrics: Metrics;
  readonly readiness: ReadinessCheck;
}

/** Bytes of a request's headers, path included. */
const HEADER_BYTES = 8_192;
/** A line on which nothing moves, ms: waiting for an answer, or for one to be read. */
const SILENT_MS = 60_000;
/** Bytes of a body that weigh as much as one request more. */
const BYTES_A_REQUEST = 65_536;
/** A round of receipts is long for the HSM, a hash of a secret for the processor. Shorter than a station's wait for an answer. */
const RECEIPT_TURNS = { atOnce: 1, ofOne: 1, waiting: 256, patience: 8_000 };
const SIGN_IN_TURNS = { atOnce: 4, ofOne: 8, waiting: 256, patience: 8_000 };

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
  const { limits } = context;
  const app = Fastify({
    https: {
      ...tls,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      // A resumed session would bring along a certificate that nobody looked at since. A new handshake takes no trip more than a resumed one.
      secureOptions: constants.SSL_OP_NO_TICKET,
      handshakeTimeout: HANDSHAKE_MS,
      headersTimeout: HEADERS_MS,
      connectionsCheckingInterval: CHECK_MS,
      maxHeaderSize: HEADER_BYTES,
    },
    bodyLimit: limits.bodyBytes,
    genReqId: () => randomUUID(),
    connectionTimeout: SILENT_MS,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: 'idle',
    frameworkErrors: (error: FastifyError, request, reply) => {
      void refuse(error, request, reply.header('connection', 'close'));
    },
    clientErrorHandler: answerGarbage,
  });
  const often = new Throttle(limits.requestsPerSecond);
  const refusals = new Throttle(limits.refusalsPerSecond);
  const lines = new Lines(limits, refusals, (why) => metrics.add('kaika_lines_refused_total', { why }));
  lines.watch(app.server);

  const codes = new WeakMap<FastifyRequest, { code: string }>();
  const refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const body = toErrorBody(error, request.id);
    logFault(log, error, body);
    codes.set(request, { code: body.code });
    metrics.add('kaika_errors_total', { code: body.code });
    const fingerprint = peerOf(request.raw.socket)?.fingerprint;
    if (body.code === 'server-refused-certificate' && fingerprint !== undefined) {
      refusals.spend(fingerprint);
      void reply.header('connection', 'close');
    }
    return reply.status(statusOf(body.code)).send(body);
  };
  app.setErrorHandler(async (error, request, reply) => refuse(error, request, reply));
  app.setNotFoundHandler(async () => {
    throw new KaikaError('not-found', 'no such resource');
  });
  /** Requests on a line that was closed before they could be answered. */
  const cut = new WeakSet<FastifyRequest>();
  // Before anything of a request is read but its headers.
  app.addHook('onRequest', async (request, reply) => {
    const { raw } = request;
    if (!lines.begin(raw.socket)) {
      // The line is closed: there is nobody to answer, and a line of the log for each would be one more flood.
      cut.add(request);
      reply.hijack();
      return;
    }
    const { fingerprint } = validPeer(peerOf(raw.socket), context.now());
    // Whoever was refused again and again is sent away without the store being asked; a station that was enrolled meanwhile comes in a second later.
    if (!refusals.allows(fingerprint)) {
      void reply.header('connection', 'close');
      throw new KaikaError('server-busy', 'this certificate was refused too often');
    }
    const length = lengthOf(request);
    often.take(fingerprint, 1 + Math.floor(length / BYTES_A_REQUEST));
    if (request.is404) throw new KaikaError('not-found', 'no such resource');
    if (request.method === 'GET' && length > 0)
      throw new KaikaError('bad-request', 'a GET request has no body');
  });
  // Replies hold key writes and card records: nothing on the way may keep them or take them for something else.
  app.addHook('onSend', async ({ raw }, reply) => {
    void reply.headers({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      [STORE_GENERATION_HEADER]: context.storeGeneration,
      // A line that was busy when the server was told to stop would keep it alive for as long as the station keeps the line. And what is still to
      // come of a request that was refused is not waited for.
      ...(readiness.stopping || lines.isOld(raw.socket) || !raw.complete ? { connection: 'close' } : {}),
    });
  });
  app.addHook('onResponse', async (request, reply) => {
    if (cut.has(request)) return;
    lines.end(request.raw.socket);
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
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const fault = faultOfShape(bytes);
    if (fault !== undefined) done(new KaikaError('bad-request', fault));
    else void parseJson(request, bytes.toString('utf8'), done);
  });

  const authority = new Authority(context);
  const service: Service = {
    context,
    authority,
    metrics,
    readiness,
    receipts: new FairTurns(RECEIPT_TURNS),
    signIns: new FairTurns(SIGN_IN_TURNS),
    description: openApiDocument(ENDPOINTS),
    whoAsks: doorkeeper(authority),
  };
  const entered = new WeakMap<FastifyRequest, Entered>();
  for (const { method, path, bodyBytes, enter } of ENDPOINTS)
    app.route({
      method,
      url: path.replace(/\{(\w+)\}/g, ':$1'),
      ...(bodyBytes === 0 ? {} : { bodyLimit: Math.min(bodyBytes, limits.bodyBytes) }),
      onRequest: async (request) => {
        entered.set(request, await enter(service, credentialsOf(request)));
      },
      handler: async (request, reply) => {
        const answer = entered.get(request);
        if (answer === undefined) throw new Error('nobody was let in');
        const { params, query, body } = request;
        const { status, reply: said } = await answer({ params, query, body });
        return reply.status(status).send(said);
      },
    });
  return app;
}

/** @throws KaikaError `server-refused-certificate` for none, and for one that is not valid at `now`: the line may be older than its end */
function validPeer(peer: Peer | undefined, now: Date): Peer {
  if (peer === undefined) throw new KaikaError('server-refused-certificate', 'there is no certificate');
  if (now.getTime() < peer.validFrom || now.getTime() > peer.validTo)
    throw new KaikaError('server-refused-certificate', 'the certificate is not valid any more, or not yet');
  return peer;
}

/** What the request shows of its sender. */
function credentialsOf({ raw, headers }: FastifyRequest): Credentials {
  return {
    fingerprint: peerOf(raw.socket)?.fingerprint,
    token: /^Bearer ([A-Za-z0-9_-]{20,100})$/.exec(headers.authorization ?? '')?.[1],
  };
}

/** Bytes of the body as the headers announce it; of one that comes in pieces of unknown number the most that it may have. */
function lengthOf({ headers, routeOptions }: FastifyRequest): number {
  if (headers['transfer-encoding'] !== undefined) return routeOptions.bodyLimit;
  const length = Number(headers['content-length'] ?? 0);
  return Number.isFinite(length) ? Math.max(0, length) : 0;
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
