/** An engine on a folder of its own, with virtual readers, for tests. */

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { readCatalogue } from '../../app/catalogue/files.ts';
import type { Catalogue } from '../../app/catalogue/schema.ts';
import { COUNTER_DIALECTS } from '../../app/dialects/counter.ts';
import type { CommandKind } from '../../app/protocol/command-kind.ts';
import { openVirtualReaders, type VirtualReaders } from '../../app/simulator/virtual-reader.ts';
import { type Engine, type EngineOptions, openEngine } from '../../app/station/engine.ts';
import { systemClock } from '../../app/station/ports.ts';
import type { CardLook } from '../../app/station/readers/look.ts';
import type { JobView, ReaderViewState } from '../../app/station/views.ts';
import { LIMIT } from './limit.ts';
import { ScriptedServer } from './scripted-server.ts';
import { fresh, shared } from './shared.ts';
import { scratchFolder } from './temporary.ts';

const RESOURCES = new URL('../../resources/', import.meta.url);

export function demoCatalogue(): Catalogue {
  return readCatalogue(
    {
      list: (folder) => readdirSync(new URL(`${folder}/`, RESOURCES)),
      read: (file) => readFileSync(new URL(file, RESOURCES), 'utf8'),
    },
    COUNTER_DIALECTS,
  );
}

/** The same, where e-wallet also takes the commands of the scripted server: a write and the question whether it was done. */
export function scriptedCatalogue(): Catalogue {
  const catalogue = demoCatalogue();
  const profiles = catalogue.profiles.map((profile) => {
    const wallet = profile.apps['e-wallet'];
    if (wallet === undefined) return profile;
    const kindOf: typeof wallet.kindOf = (command) => SCRIPTED[command.ins] ?? wallet.kindOf(command);
    return { ...profile, apps: { ...profile.apps, 'e-wallet': { ...wallet, kindOf } } };
  });
  return { ...catalogue, profiles };
}

const SCRIPTED: Readonly<Record<number, CommandKind>> = {
  240: {
    kind: 'change',
    inChannel: false,
    steps: ['write-maintenance-key', 'write-master-control-key', 'write-enabled-flag'],
  },
  242: { kind: 'read', steps: ['read-state'] },
};

export function temporaryFolder(): string {
  return scratchFolder('kaika-station-');
}

export interface TestStation {
  readonly folder: string;
  readonly readers: VirtualReaders;
  readonly server: ScriptedServer;
  engine: Engine;
  /** A second life on the same folder. */
  restart(): Promise<void>;
  /** Waits until `look` gives something; the snapshot is read again on every notification. */
  until<T>(look: () => T | undefined | false, what: string): Promise<T>;
  reader(name?: string): ReaderViewState;
  job(id: string): JobView | undefined;
  close(): Promise<void>;
}

export async function openTestStation(overrides: Partial<EngineOptions> = {}): Promise<TestStation> {
  const folder = overrides.folder ?? temporaryFolder();
  const readers = openVirtualReaders(['A', 'B']);
  const server = new ScriptedServer();
  const options: EngineOptions = {
    folder,
    readers,
    server: () => server,
    catalogue: scriptedCatalogue(),
    clock: systemClock,
    journal: { reserve: { reserveBytes: 64 * 1024, freeBytes: 1 } },
    ...overrides,
  };
  const station: TestStation = {
    folder,
    readers,
    server,
    engine: openEngine(options),
    async restart() {
      await station.engine.close();
      station.engine = openEngine(options);
      await station.engine.signIn('op1', 'secret');
    },
    until: (look, what) => until(station.engine, look, what),
    reader: (name = 'A') => {
      const found = station.engine.snapshot().readers.find((one) => one.name === name);
      if (found === undefined) throw new Error(`no reader ${name}`);
      return found.state;
    },
    job: (id) => station.engine.snapshot().jobs.find((one) => one.id === id),
    async close() {
      await station.engine.close();
      await readers.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await station.engine.signIn('op1', 'secret');
  return station;
}

/** A station for the tests of a file, or of one describe. */
export const sharedStation = (overrides?: () => Partial<EngineOptions>): TestStation =>
  shared(() => openTestStation(overrides?.()));

/** A station of its own for each test. */
export const freshStation = (overrides?: () => Partial<EngineOptions>): TestStation =>
  fresh(() => openTestStation(overrides?.()));

/** The look at a card, once it is whole: also what is read for the server only, which follows what staff see. */
export function wholeLook(state: ReaderViewState | undefined): CardLook | undefined {
  return state?.kind === 'card' && state.look.facts.cplc !== undefined ? state.look : undefined;
}

/** Rejects at the limit, naming what did not come. */
export function until<T>(engine: Engine, look: () => T | undefined | false, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    let stop: () => void = () => undefined;
    // What a test looks at need not be in the engine.
    const poll = setInterval(() => check(), 20);
    const timer = setTimeout(() => {
      stop();
      clearInterval(poll);
      reject(new Error(`not seen: ${what}; ${JSON.stringify(engine.snapshot())}`));
    }, LIMIT);
    const check = () => {
      const found = look();
      if (found === undefined || found === false) return;
      clearTimeout(timer);
      clearInterval(poll);
      setImmediate(() => stop());
      resolve(found);
    };
    stop = engine.subscribe(check);
  });
}
