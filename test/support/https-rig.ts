/** The issuer rig behind its real HTTPS face, with certificates of its own, and a client that keeps every byte of every body. */
import { type ChildProcess, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { type DemoAuthority, type Identity, makeAuthority } from '../../app/demo/pki.ts';
import { buildHttpServer } from '../../app/keyserver/api/server.ts';
import type { JobContext } from '../../app/keyserver/jobs/context.ts';
import type { Limits } from '../../app/keyserver/limits.ts';
import { openLog } from '../../app/keyserver/log.ts';
import { signInReplySchema } from '../../app/protocol/wire.ts';
import { type IssuerRig, type MakeToken, openIssuerRig } from './issuer-rig.ts';
import { LIMIT } from './limit.ts';
import { checkDescribed } from './openapi-check.ts';
import { writeOperator, writeStation } from './operators.ts';
import { verbsOf } from './rig-verbs.ts';
import { shared } from './shared.ts';
import type { StoreKind } from './stores.ts';

const MAIN = fileURLToPath(new URL('../../app/keyserver/main.ts', import.meta.url));

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: unknown;
}

export interface Client {
  /** `body` as JSON, or as it stands when it is text. Rejects when there is no answer. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body: unknown, token?: string): Promise<Answer>;
  close(): void;
}

export interface HttpsRig {
  readonly rig: IssuerRig;
  readonly port: number;
  readonly authority: DemoAuthority;
  readonly station: Identity;
  /** Lines of the server's log. */
  readonly log: string[];
  /** All bodies, both ways, as they went over the line. */
  readonly captured: string[];
  client(identity?: Identity | null, port?: number, options?: ConnectionOptions): Client;
  signIn(operator?: string): Promise<string>;
  /** A TLS connection of the test's own; resolves with what came, rejects with what failed. */
  raw(options: ConnectionOptions, text: string): Promise<string>;
  /** Another server process on the same store and token. */
  secondInstance(): Promise<{ readonly port: number; stop(): Promise<void> }>;
  close(): Promise<void>;
}

export const SECRET = 'a secret of some length';

/** What a test wants otherwise than the rig has it. */
export interface HttpsRigWishes {
  readonly limits?: Partial<Limits>;
  readonly now?: () => Date;
}

export async function openHttpsRig(
  kind?: StoreKind,
  makeToken?: MakeToken,
  { limits, now }: HttpsRigWishes = {},
): Promise<HttpsRig> {
  const opened = await openIssuerRig(kind, makeToken);
  const context: JobContext = {
    ...opened.context,
    limits: { ...opened.context.limits, ...limits },
    ...(now === undefined ? {} : { now }),
  };
  const rig: IssuerRig = { ...opened, ...verbsOf(context), context };
  const authority = await makeAuthority('Test authority');
  const server = await authority.issue({ name: 'localhost', use: 'server' });
  const station = await authority.issue({ name: 'test-station', use: 'client' });
  const { store } = rig.context;
  await writeStation(store, 'test-station', new X509Certificate(station.certificate));
  for (const id of ['clerk', 'supervisor']) await writeOperator(store, { id, name: id, secret: SECRET });

  const log: string[] = [];
  const captured: string[] = [];
  const files = { key: server.key, cert: server.certificate, ca: authority.certificate };
  const app = buildHttpServer(
    rig.context,
    files,
    openLog((line) => log.push(line)),
  );
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  const ownPort = typeof address === 'object' && address !== null ? address.port : 0;
  const clients: Client[] = [];
  const children: ChildProcess[] = [];

  const client = (identity: Identity | null = station, port = ownPort, options: ConnectionOptions = {}) => {
    const agent = new Agent({
      keepAlive: true,
      ca: authority.certificate,
      ...(identity === null ? {} : { cert: identity.certificate, key: identity.key }),
      ...options,
    });
    const made: Client = {
      send: (method, path, body, headers = {}) =>
        send({ agent, port, method, path, body, headers }, captured),
      post: (path, body, token) =>
        made.send('POST', path, body, token === undefined ? {} : { authorization: `Bearer ${token}` }),
      close: () => agent.destroy(),
    };
    clients.push(made);
    return made;
  };

  return {
    rig,
    port: ownPort,
    authority,
    station,
    log,
    captured,
    client,
    async signIn(operator = 'clerk') {
      const { body } = await client().post('/v1/sessions', { apiLevel: 1, operator, secret: SECRET });
      return signInReplySchema.parse(body).token;
    },
    raw: (options, text) =>
      rawExchange({ host: '127.0.0.1', port: ownPort, ca: authority.certificate, ...options }, text),
    async secondInstance() {
      const config = writeConfig(rig, files);
      const child = spawn(process.execPath, [MAIN, 'serve', '--config', config], {
        stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
      });
      children.push(child);
      const port = await listeningPort(child);
      return { port, stop: () => end(child) };
    },
    async close() {
      for (const one of clients) one.close();
      for (const child of children) await end(child);
      await app.close();
      await rig.close();
    },
  };
}

/** A rig for the tests of a file, or of one describe. */
export const httpsRig = (kind?: StoreKind, makeToken?: MakeToken, wishes?: HttpsRigWishes): HttpsRig =>
  shared(() => openHttpsRig(kind, makeToken, wishes));

interface Sending {
  readonly agent: Agent;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly headers: Record<string, string>;
}

function send(
  { agent, port, method, path, body: given, headers }: Sending,
  captured: string[],
): Promise<Answer> {
  const text = given === undefined ? undefined : typeof given === 'string' ? given : JSON.stringify(given);
  if (text !== undefined) captured.push(text);
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        agent,
        timeout: LIMIT,
        headers: text === undefined ? headers : { 'content-type': 'application/json', ...headers },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const answered = Buffer.concat(parts).toString('utf8');
          captured.push(answered);
          const status = response.statusCode ?? 0;
          const body = parseJson(answered);
          try {
            checkDescribed(method, path, status, body);
            resolve({ status, headers: response.headers, text: answered, body });
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.end(text);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function rawExchange(options: ConnectionOptions, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect(options, () => socket.write(text));
    let got = '';
    socket.setTimeout(LIMIT, () => socket.destroy(new Error('no answer in time')));
    socket.on('data', (part: Buffer) => {
      got += part.toString('utf8');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(got));
  });
}

function writeConfig(rig: IssuerRig, files: { key: string; cert: string; ca: string }): string {
  const at = (name: string) => join(rig.folder, name);
  writeFileSync(at('server.key'), files.key, { mode: 0o600 });
  writeFileSync(at('server.pem'), files.cert);
  writeFileSync(at('ca.pem'), files.ca);
  const { module, tokenLabel, pin, softhsmConf } = rig.token;
  const config = {
    listen: { host: '127.0.0.1', port: 0 },
    tls: { key: 'server.key', certificate: 'server.pem', stationAuthorities: 'ca.pem' },
    store: rig.store,
    vault: { module, tokenLabel, pinFile: 'pinFile' in pin ? pin.pinFile : '', softhsmConf },
    limits: rig.context.limits,
    demo: true,
  };
  writeFileSync(at('config.json'), JSON.stringify(config));
  return at('config.json');
}

async function listeningPort(child: ChildProcess): Promise<number> {
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT);
  try {
    if (child.stdout !== null) {
      for await (const line of createInterface({ input: child.stdout })) {
        const said = parseJson(line);
        if (typeof said === 'object' && said !== null && 'port' in said && typeof said.port === 'number')
          return said.port;
      }
    }
    throw new Error('the server did not start');
  } finally {
    clearTimeout(timer);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT);
  await gone;
  clearTimeout(timer);
}
