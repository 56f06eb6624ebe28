/** A site of server processes on one store and one token, and simulated stations that speak to them over real mutual TLS. */
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeAuthority } from '../../app/demo/pki.ts';
import type { Limits } from '../../app/keyserver/limits.ts';
import type { StoreConfig } from '../../app/keyserver/store/config.ts';
import type { AnswersRequest, Outcome, Wish } from '../../app/protocol/wire.ts';
import {
  createServerClient,
  type HttpsClientOptions,
  RefusedError,
  type ServerClient,
} from '../../app/station/server/client.ts';
import { openDyingHttpServers } from './dying-http-servers.ts';
import type { Death } from './dying-store.ts';
import { request, runBatch } from './forwarder.ts';
import { HIGH_LIMITS, type IssuerRig, openIssuerRig, randomDigits } from './issuer-rig.ts';
import { LIMIT } from './limit.ts';
import { writeOperator, writeStation } from './operators.ts';
import { instanceOf, type ServerInstance } from './server-instance.ts';
import type { StoreKind } from './stores.ts';

export type { ServerInstance };

const MAIN = fileURLToPath(new URL('../../app/keyserver/main.ts', import.meta.url));
/** Of the operators `clerk` and `custodian`. */
export const SECRET = 'a secret of some length';

export interface SimulatedStation {
  readonly name: string;
  readonly client: ServerClient;
  readonly token: string;
}

export type StationLine = Pick<HttpsClientOptions, 'origins' | 'ca' | 'cert' | 'key'>;

/** Another user of the system, who reaches a vault by its socket alone. */
export interface StartedBy {
  readonly uid: number;
  readonly gid: number;
  readonly socket: string;
}

export interface Site {
  readonly rig: IssuerRig;
  readonly config: string;
  /** Starts a server; on `port`, if it had one before; on another store than the site's. */
  start(port?: number, store?: StoreConfig, by?: StartedBy): Promise<ServerInstance>;
  /** A server on `port` that is killed at its commit; it has no metrics, and the vault of the rig. */
  startDying(port: number, death: Death): Promise<ServerInstance>;
  /** What an enrolled station of this name needs to speak to these instances; its certificate ends when a test wants it to. */
  line(name: string, ports: readonly number[], notAfter?: Date): Promise<StationLine>;
  /** A station of its own that knows these instances, with an operator signed in. */
  station(name: string, ports: readonly number[]): Promise<SimulatedStation>;
  close(): Promise<void>;
}

/** `own`: a rig of the test's, with its folder of resources; it is closed with the site. */
export async function openServerSite(
  kind: StoreKind,
  limits: Partial<Limits> = {},
  {
    leaseSeconds = 120,
    own,
  }: { leaseSeconds?: number; own?: { readonly rig: IssuerRig; readonly resources: string } } = {},
): Promise<Site> {
  const rig = own?.rig ?? (await openIssuerRig(kind));
  const authority = await makeAuthority('Test authority');
  const server = await authority.issue({ name: 'localhost', use: 'server' });
  await writeOperator(rig.context.store, { id: 'clerk', name: 'clerk', secret: SECRET });
  const custodian = { id: 'custodian', name: 'custodian', role: 'key-custodian', secret: SECRET } as const;
  await writeOperator(rig.context.store, custodian);
  const at = (name: string) => join(rig.folder, name);
  writeFileSync(at('server.key'), server.key, { mode: 0o600 });
  writeFileSync(at('server.pem'), server.certificate);
  writeFileSync(at('ca.pem'), authority.certificate);
  const { module, tokenLabel, pin, softhsmConf } = rig.token;
  const config = (port: number, store = rig.store) => ({
    listen: { host: '127.0.0.1', port },
    tls: { key: 'server.key', certificate: 'server.pem', stationAuthorities: 'ca.pem' },
    store,
    vault: { module, tokenLabel, pinFile: 'pinFile' in pin ? pin.pinFile : '', softhsmConf },
    limits: { ...HIGH_LIMITS, ...limits },
    leaseSeconds,
    operations: { port: 0 },
    ...(own === undefined ? {} : { resources: own.resources }),
    demo: true,
  });
  writeFileSync(at('config.json'), JSON.stringify(config(0)), { mode: 0o600 });
  const instances = new Set<ServerInstance>();
  let dying: Awaited<ReturnType<typeof openDyingHttpServers>> | undefined;
  const clients: ServerClient[] = [];
  const line = async (name: string, ports: readonly number[], notAfter?: Date): Promise<StationLine> => {
    const ends = notAfter === undefined ? {} : { notAfter };
    const identity = await authority.issue({ name, use: 'client', ...ends });
    await writeStation(rig.context.store, name, new X509Certificate(identity.certificate));
    return {
      origins: ports.map((port) => `https://localhost:${port}`),
      ca: authority.certificate,
      cert: identity.certificate,
      key: identity.key,
    };
  };
  return {
    rig,
    config: at('config.json'),
    async start(port = 0, store = rig.store, by) {
      const file = at(`config-${port}.json`);
      const own = config(port, store);
      const content = by === undefined ? own : { ...own, vault: { socket: by.socket } };
      writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
      if (by !== undefined) chownSync(file, by.uid, by.gid);
      const child = spawn(process.execPath, [MAIN, 'serve', '--config', file], {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        ...(by === undefined ? {} : { uid: by.uid, gid: by.gid }),
      });
      const instance = await instanceOf(child);
      instances.add(instance);
      return instance;
    },
    async startDying(port, death) {
      const file = at(`config-${port}.json`);
      writeFileSync(file, JSON.stringify(config(port)), { mode: 0o600 });
      dying ??= await openDyingHttpServers(rig.context.vault);
      const instance = await dying.start(file, death);
      instances.add(instance);
      return instance;
    },
    line,
    async station(name, ports) {
      const client = createServerClient({
        ...(await line(name, ports)),
        clock: { now: () => Date.now() },
        connectTimeoutMs: LIMIT,
      });
      clients.push(client);
      const { token } = await untilTaken(() =>
        client.signIn({ apiLevel: 1, operator: 'clerk', secret: SECRET }),
      );
      return { name, client, token };
    },
    async close() {
      for (const client of clients) client.close();
      for (const instance of instances) await instance.kill();
      await dying?.close();
      await rig.close();
    },
  };
}

/** The card that was issued, how, and how long each request had to be asked again and again. */
export interface Issued {
  readonly identification: string;
  readonly account: string;
  readonly outcome: Outcome;
  readonly requestMs: readonly number[];
}

/** One card, from the look to the outcome; every request is repeated, unchanged, until it is taken. */
export async function issueOver(
  site: Site,
  station: SimulatedStation,
  wishes: Wish[],
  opening?: string,
): Promise<Issued & { card: ReturnType<IssuerRig['newCard']>['card'] }> {
  const { card, identification } = site.rig.newCard();
  const account = randomDigits(16);
  const asked = {
    ...(await request(card, site.rig.context, account, wishes, opening, { station: station.name })),
    reader: station.name,
  };
  const requestMs: number[] = [];
  const ask = async <T>(send: () => Promise<T>) => {
    const begun = performance.now();
    const value = await untilTaken(send);
    requestMs.push(performance.now() - begun);
    return value;
  };
  const started = await ask(() => station.client.postJob(asked, station.token));
  let outcome = started.outcome;
  let batch = started.batch;
  while (outcome === undefined && batch !== undefined) {
    const { seq } = batch;
    const report: AnswersRequest = await runBatch(card, batch);
    const next = await ask(() => station.client.postAnswers(started.job, seq, report, station.token));
    outcome = 'outcome' in next ? next.outcome : undefined;
    batch = 'batch' in next ? next.batch : undefined;
  }
  if (outcome === undefined) throw new Error('the job had no end');
  return { card, identification, account, outcome, requestMs };
}

const PASSING: readonly string[] = ['server-busy', 'server-store-failed', 'hsm-away', 'internal'];

/** As a station does: the same request again while nobody answers or the refusal may pass. */
async function untilTaken<T>(send: () => Promise<T>): Promise<T> {
  const until = Date.now() + LIMIT;
  for (let wait = 30; ; wait = Math.min(400, wait * 1.5)) {
    try {
      return await send();
    } catch (error) {
      const final = error instanceof RefusedError && !PASSING.includes(error.code);
      if (final || Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
