/** `npm start -- --headless`: brings the demo up, issues one card along the whole real path, and takes everything down again. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalogue } from '../catalogue/schema.ts';
import { KaikaError } from '../protocol/errors.ts';
import type { Wish } from '../protocol/wire.ts';
import { type Engine, openEngine } from '../station/engine.ts';
import type { HeadlessResult } from '../station/headless/result.ts';
import { runHeadless, type Told } from '../station/headless/run.ts';
import { systemClock } from '../station/ports.ts';
import { createServerClient } from '../station/server-client.ts';
import { demoCard, randomDigits } from './cards.ts';
import type { Cleanup } from './cleanup.ts';
import type { Fault } from './faults.ts';
import { type KeyServerProcess, startKeyServer } from './key-server.ts';
import type { Options } from './options.ts';
import { BUILT_IN_READER, builtInReaders, type DemoReaders, openDemoReaders, ownReaders } from './readers.ts';
import { loadCatalogue } from './resources.ts';
import { openSite, type SitePaths, takeTokenAway, writeServerConfig } from './site.ts';
import { findSoftHsm } from './softhsm-module.ts';
import { isQuiet, type TerminalTeller } from './teller.ts';

const CARD_LIMIT_MS = 10_000;
const HALT_LIMIT_MS = 30_000;
const FAULT_HALT_LIMIT_MS = 15_000;
const FAULT_CARD_LIMIT_MS = 4_000;
const REAL_CARD_LIMIT_MS = 60_000;
const PUT_BACK_MS = 2_000;

export interface HeadlessContext {
  readonly options: Options;
  readonly folder: string;
  readonly teller: TerminalTeller;
  readonly say: (line: string) => void;
  readonly cleanup: Cleanup;
}

/** @throws Error in a sentence for the person at the terminal when the demo cannot be brought up */
export async function headless(context: HeadlessContext): Promise<HeadlessResult> {
  const { options, folder, cleanup, say, teller } = context;
  const fault = options.fault;
  const module = findSoftHsm();
  const { paths: site, people } = await openSite(join(folder, 'demo'), module, say);
  writeServerConfig(
    site,
    module,
    fault?.name === 'wrong-clock' ? 'early' : fault?.name === 'server-not-trusted' ? 'impostor' : 'server',
  );

  const server = await startKeyServer(site);
  cleanup.add(() => server.stop());
  const readers = await openReaders(options, site);
  cleanup.add(() => readers.close());
  say(`station → ${readers.what}; key server on 127.0.0.1:${server.port}, SoftHSM, SQLite`);

  const catalogue = loadCatalogue();
  const cardLimitMs = options.pcsc ? REAL_CARD_LIMIT_MS : CARD_LIMIT_MS;
  const stationFolder = fault === undefined ? site.station : join(folder, 'fault-station');
  if (fault !== undefined) rmSync(stationFolder, { recursive: true, force: true });
  const engine = open(stationFolder, site, readers, server, catalogue, fault);
  cleanup.add(() => engine.close());
  const cardFile = await putCardIn(context, site, readers);

  const played = await playFault(fault, { site, server, readers, cleanup, cardFile });
  const ports = {
    engine,
    clock: systemClock,
    cardLimitMs: fault === undefined ? cardLimitMs : FAULT_CARD_LIMIT_MS,
    haltLimitMs: fault === undefined ? HALT_LIMIT_MS : FAULT_HALT_LIMIT_MS,
    tell: (told: Told) => {
      played.onTold(told);
      teller.tell(told);
    },
  };
  const result = await runHeadless(ports, {
    wishes: wishesOf(options),
    operator: people.clerk.operator,
    secret: people.clerk.secret,
    account: async (look) =>
      options.account ?? (await boundAccount(engine, look.identification)) ?? randomDigits(16),
    ...(options.confirm ? { confirmer: people.supervisor } : {}),
  });
  await played.settled();
  return result;
}

async function openReaders(options: Options, site: SitePaths): Promise<DemoReaders> {
  if (options.pcsc) return ownReaders();
  if (options.fault?.name === 'no-reader') return builtInReaders([], 'none is plugged in');
  return options.builtIn ? builtInReaders([BUILT_IN_READER], 'asked for') : openDemoReaders(site.folder);
}

function open(
  folder: string,
  site: SitePaths,
  readers: DemoReaders,
  server: KeyServerProcess,
  catalogue: Catalogue,
  fault: Fault | undefined,
): Engine {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const identity = fault?.name === 'certificate-refused' ? 'stranger' : 'station';
  const pem = (name: string) => readFileSync(join(site.pki, name), 'utf8');
  return openEngine({
    folder,
    readers: readers.port,
    catalogue,
    clock: systemClock,
    server: (time) =>
      createServerClient({
        origins: [`https://localhost:${server.port}`],
        ca: pem('ca.pem'),
        cert: pem(`${identity}.pem`),
        key: pem(`${identity}.key`),
        clock: systemClock,
        ...time,
      }),
  });
}

async function putCardIn(
  { options, say, cleanup }: HeadlessContext,
  site: SitePaths,
  readers: DemoReaders,
): Promise<string | undefined> {
  const name = options.fault?.name;
  if (options.pcsc || name === 'no-card' || name === 'no-reader') return undefined;
  const card = await demoCard(site, options.type, options.card, name);
  if (!card.fresh) say(`virtual card: ${card.file}`);
  await readers.insert(card.file, options.latency);
  if (card.fresh) cleanup.add(async () => rmSync(card.file, { force: true }));
  return card.file;
}

interface Stage {
  readonly site: SitePaths;
  readonly server: KeyServerProcess;
  readonly readers: DemoReaders;
  readonly cleanup: Cleanup;
  readonly cardFile: string | undefined;
}

interface Played {
  readonly onTold: (told: Told) => void;
  /** Resolves when the hands that play the fault have come to rest. */
  readonly settled: () => Promise<void>;
}

/** Makes the fault happen; those of certificates, cards and readers were prepared before. */
async function playFault(fault: Fault | undefined, stage: Stage): Promise<Played> {
  let hands: Promise<void> = Promise.resolve();
  const quiet: Played = { onTold: () => undefined, settled: () => hands };
  switch (fault?.name) {
    case 'server-away':
      await stage.server.kill();
      return quiet;
    case 'hsm-away': {
      const putBack = takeTokenAway(stage.site);
      stage.cleanup.add(async () => putBack());
      return quiet;
    }
    case 'service-missing':
      await stage.readers.stopService();
      return quiet;
    case 'card-pulled': {
      let step = 0;
      return {
        ...quiet,
        onTold: (told) => {
          if (told.kind !== 'step' || isQuiet(told.label.step)) return;
          step += 1;
          if (step === fault.step) hands = pullAndPutBack(stage);
        },
      };
    }
    default:
      return quiet;
  }
}

/** The virtual card keeps its state in its file, as a card keeps it in its memory. */
async function pullAndPutBack({ readers, cardFile }: Stage): Promise<void> {
  await readers.remove();
  await systemClock.sleep(PUT_BACK_MS);
  if (cardFile !== undefined) await readers.insert(cardFile, 'realistic');
}

function wishesOf(options: Options): Wish[] {
  const asked =
    options.fault?.name === 'app-not-in-catalogue' ? [...options.enable, 'loyalty'] : options.enable;
  return [
    ...asked.map((app): Wish => ({ app, action: 'enable' })),
    ...options.delete.map((app): Wish => ({ app, action: 'delete' })),
  ];
}

/** The account that the server knows the card by; undefined for a card it has never seen or not bound yet. */
async function boundAccount(engine: Engine, identification: string | null): Promise<string | undefined> {
  if (identification === null) return undefined;
  try {
    const { account } = await engine.card(identification);
    return account === '' ? undefined : account;
  } catch (error) {
    if (error instanceof KaikaError && error.code === 'not-found') return undefined;
    throw error;
  }
}
