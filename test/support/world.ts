/**
 * A whole site in one test: the demo's set-up, the key server as a process, a pcscd with virtual readers, and station engines in
 * this process. One world a test file: libpcsclite knows one socket a process.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { demoCard, randomDigits } from '../../app/demo/cards.ts';
import { type KeyServerProcess, startKeyServer } from '../../app/demo/key-server.ts';
import { loadCatalogue } from '../../app/demo/resources.ts';
import { openSite, type People, type SitePaths, writeServerConfig } from '../../app/demo/site.ts';
import { findSoftHsm } from '../../app/demo/softhsm-module.ts';
import { readCardRecord } from '../../app/keyserver/records/card-record.ts';
import { OWN_RESOURCES, openCatalogue } from '../../app/keyserver/resources.ts';
import { openSqliteStore } from '../../app/keyserver/store/open.ts';
import type { CardRecord } from '../../app/protocol/card-record.ts';
import type { Label, Outcome, Wish } from '../../app/protocol/wire.ts';
import { type Rig, startRig } from '../../app/simulator/rig/index.ts';
import { type Engine, openEngine } from '../../app/station/engine.ts';
import { waitFor } from '../../app/station/headless/wait.ts';
import { systemClock } from '../../app/station/ports.ts';
import { openPcsc, widenThreadPool } from '../../app/station/readers/pcsc/index.ts';
import { createServerClient } from '../../app/station/server/client.ts';
import type { JobView } from '../../app/station/views.ts';
import { LIMIT } from './limit.ts';
import { scratchFolder } from './temporary.ts';

widenThreadPool();

export interface World {
  readonly paths: SitePaths;
  readonly people: People;
  readonly rig: Rig;
  readonly readers: readonly string[];
  /** The key server; replaced by `restartServer`. */
  server(): KeyServerProcess;
  /** Starts it again on the port it had. */
  restartServer(): Promise<void>;
  /** An engine of this station, signed in; `serverPort` names a way round to the key server. */
  openStation(serverPort?: number): Promise<Engine>;
  newCard(): Promise<string>;
  record(card: string): Promise<CardRecord>;
  close(): Promise<void>;
}

export async function openWorld(readers = 2): Promise<World> {
  const folder = scratchFolder('kaika-world-');
  const module = findSoftHsm();
  const { paths, people } = await openSite(join(folder, 'site'), module, () => undefined);
  let server = await startKeyServer(paths);
  const port = server.port;
  const rig = await startRig({ folder: join(folder, 'rig'), readers });
  const pcsc = openPcsc({ socketPath: rig.socketPath });
  const pem = (name: string) => readFileSync(join(paths.pki, name), 'utf8');
  const engines = new Set<Engine>();
  return {
    paths,
    people,
    rig,
    readers: rig.readerNames,
    server: () => server,
    async restartServer() {
      writeServerConfig(paths, module, 'server', port);
      server = await startKeyServer(paths);
    },
    async openStation(serverPort = port) {
      const engine = openEngine({
        folder: paths.station,
        readers: pcsc,
        catalogue: loadCatalogue(),
        clock: systemClock,
        server: (time) =>
          createServerClient({
            origins: [`https://localhost:${serverPort}`],
            ca: pem('ca.pem'),
            cert: pem('station.pem'),
            key: pem('station.key'),
            clock: systemClock,
            ...time,
          }),
      });
      engines.add(engine);
      await engine.signIn(people.clerk.operator, people.clerk.secret);
      return engine;
    },
    newCard: async () => (await demoCard(paths, 'demo-scp03')).file,
    async record(card) {
      const store = await openSqliteStore(paths.store);
      try {
        return await readCardRecord({ store, catalogue: openCatalogue(OWN_RESOURCES) }, card);
      } finally {
        await store.destroy();
      }
    },
    async close() {
      for (const engine of engines) await engine.close();
      await pcsc.close();
      await rig.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until the card in `reader` was read; its identification code. */
export async function cardRead(engine: Engine, reader: string): Promise<string> {
  const card = await waitFor(engine, systemClock, LIMIT, (snapshot) => {
    const state = snapshot.readers.find((one) => one.name === reader)?.state;
    return state?.kind === 'card' ? (state.look.identification ?? undefined) : undefined;
  });
  if (card === undefined) throw new Error(`no card was read: ${JSON.stringify(engine.snapshot().readers)}`);
  return card;
}

export async function startOn(engine: Engine, reader: string, wishes: Wish[]): Promise<string> {
  await cardRead(engine, reader);
  return engine.startJob(reader, { account: randomDigits(16), wishes });
}

/** Waits until the job's current step is the one that is named. */
export async function reaches(engine: Engine, job: string, step: Label['step']): Promise<void> {
  const reached = await waitForJob(engine, job, (view) => view.progress.current?.step === step);
  if (!reached) throw new Error(`the job never came to ${step}: ${JSON.stringify(engine.snapshot().jobs)}`);
}

export async function waitForJob(
  engine: Engine,
  job: string,
  is: (view: JobView) => boolean,
): Promise<boolean> {
  const found = await waitFor(engine, systemClock, LIMIT, (snapshot) => {
    const view = snapshot.jobs.find((one) => one.id === job);
    return view !== undefined && is(view) ? true : undefined;
  });
  return found === true;
}

/** Waits for the job's end. */
export async function outcomeOf(engine: Engine, job: string): Promise<Outcome> {
  const outcome = await waitFor(engine, systemClock, LIMIT, (snapshot) => {
    const state = snapshot.jobs.find((one) => one.id === job)?.state;
    return state?.kind === 'done' ? state.outcome : undefined;
  });
  if (outcome === undefined)
    throw new Error(`the job did not end: ${JSON.stringify(engine.snapshot().jobs)}`);
  return outcome;
}

/** Waits until the engine says this of the smart card service. */
export async function serviceIs(engine: Engine, kind: 'running' | 'missing'): Promise<boolean> {
  const found = await waitFor(engine, systemClock, LIMIT, (snapshot) =>
    snapshot.service.kind === kind ? true : undefined,
  );
  return found === true;
}
