/** Everything the demo's station meets: a site with its key server, readers with a virtual card, and the fault to be played. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { STATION_CONFIG, type StationConfig } from '../station/config.ts';
import { demoCard } from './cards.ts';
import type { Cleanup } from './cleanup.ts';
import type { Fault } from './faults.ts';
import { type KeyServerProcess, startKeyServer } from './key-server.ts';
import type { Options } from './options.ts';
import {
  type DemoReaders,
  openDemoReaders,
  ownReaders,
  TRAINING_READER,
  trainingReaders,
} from './readers.ts';
import { RESOURCES } from './resources.ts';
import {
  openSite,
  type People,
  type ServerIdentity,
  type SitePaths,
  sitePaths,
  takeTokenAway,
  writeServerConfig,
} from './site.ts';
import { findSoftHsm } from './softhsm-module.ts';

export interface StageContext {
  readonly options: Options;
  /** The user's data folder. */
  readonly folder: string;
  readonly say: (line: string) => void;
  readonly cleanup: Cleanup;
}

export interface Stage {
  readonly site: SitePaths;
  readonly people: People;
  readonly readers: DemoReaders;
  /** The station's folder, its configuration written. */
  readonly station: string;
  /** The card that was put in; undefined where none was. */
  readonly cardFile: string | undefined;
  /** A fresh card's file; it goes when the demo ends. */
  newCard(): Promise<string>;
  stopServer(): Promise<void>;
  /** On the port it had; with another certificate than its own, where a fault is played. */
  startServer(identity?: ServerIdentity): Promise<void>;
}

/** The folder of the demo's station; a fault is played on one of its own. */
export function stationFolder(folder: string, fault: Fault | undefined): string {
  return fault === undefined ? sitePaths(join(folder, 'demo')).station : join(folder, 'fault-station');
}

/**
 * @throws Error in a sentence for the person at the terminal when the demo cannot be brought up
 */
export async function setStage(context: StageContext): Promise<Stage> {
  const { options, folder, cleanup, say } = context;
  const { fault } = options;
  const module = findSoftHsm();
  const station = stationFolder(folder, fault);
  if (fault !== undefined) rmSync(station, { recursive: true, force: true });
  const { paths: site, people } = await openSite(join(folder, 'demo'), module, say);
  const identity =
    fault?.name === 'wrong-clock' ? 'early' : fault?.name === 'server-not-trusted' ? 'impostor' : 'server';
  writeServerConfig(site, module, identity);
  let server = await startKeyServer(site);
  const { port } = server;
  cleanup.add(() => server.stop());

  const readers = await openReaders(options, site);
  cleanup.add(() => readers.close());
  say(`station → ${readers.what}; key server on 127.0.0.1:${port}, SoftHSM, SQLite`);
  say(
    'the demo’s vault runs as you do: whoever has this user has its keys. A site gives the vault a user of its own',
  );

  writeStationConfig(station, site, { server, readers, fault });

  const newCard = async () => {
    const { file } = await demoCard(site, options.type);
    cleanup.add(async () => rmSync(file, { force: true }));
    return file;
  };
  const cardFile = await putCardIn(context, site, readers);
  await prepareFault(fault, { site, readers, cleanup, server });
  return {
    site,
    people,
    readers,
    station,
    cardFile,
    newCard,
    stopServer: () => server.stop(),
    startServer: async (as = identity) => {
      writeServerConfig(site, module, as, port);
      server = await startKeyServer(site);
    },
  };
}

async function openReaders(options: Options, site: SitePaths): Promise<DemoReaders> {
  if (options.pcsc) return ownReaders();
  if (options.fault?.name === 'no-reader') return trainingReaders(site.folder, [], 'none is plugged in');
  return options.builtIn
    ? trainingReaders(site.folder, [TRAINING_READER], 'asked for')
    : openDemoReaders(site.folder);
}

interface Surroundings {
  readonly server: KeyServerProcess;
  readonly readers: DemoReaders;
  readonly fault: Fault | undefined;
}

/** Writes what the station of a site is told. `stranger` is a station that nobody enrolled. */
function writeStationConfig(folder: string, site: SitePaths, { server, readers, fault }: Surroundings): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const identity = fault?.name === 'certificate-refused' ? 'stranger' : 'station';
  const config: StationConfig = {
    version: 1,
    server: {
      origin: `https://localhost:${server.port}`,
      authorities: join(site.pki, 'ca.pem'),
      certificate: join(site.pki, `${identity}.pem`),
      key: join(site.pki, `${identity}.key`),
    },
    readers: readers.config,
    ...(fault?.name === 'app-not-in-catalogue' ? { catalogue: catalogueWithMore(folder) } : {}),
  };
  writeFileSync(join(folder, STATION_CONFIG), `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}

/** A catalogue with an app that the key server does not offer, as where a station was not brought up to date. */
function catalogueWithMore(folder: string): string {
  const catalogue = join(folder, 'catalogue');
  for (const name of ['apps.json', 'profiles']) {
    cpSync(join(RESOURCES, name), join(catalogue, name), { recursive: true });
  }
  const change = (name: string, by: (content: string) => unknown) => {
    const file = join(catalogue, name);
    writeFileSync(file, JSON.stringify(by(readFileSync(file, 'utf8'))));
  };
  change('apps.json', (text) => {
    const apps: Record<string, unknown>[] = JSON.parse(text);
    const aid = 'F04B41494B410900';
    const names = { 'zh-CN': '会员积分', en: 'Loyalty' };
    const aids = { packageAid: aid, appletAid: `${aid}01`, instanceAid: `${aid}01` };
    const like = apps.find((app) => app['id'] === 'identity');
    return [...apps, { ...like, ...aids, id: 'loyalty', name: names, icon: 'card' }];
  });
  for (const profile of ['demo-scp03', 'demo-scp02']) {
    change(`profiles/${profile}.json`, (text) => {
      const content: { apps: Record<string, unknown> } = JSON.parse(text);
      return { ...content, apps: { ...content.apps, loyalty: content.apps['identity'] } };
    });
  }
  return catalogue;
}

async function putCardIn(
  { options, say, cleanup }: StageContext,
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

interface FaultStage {
  readonly site: SitePaths;
  readonly readers: DemoReaders;
  readonly cleanup: Cleanup;
  readonly server: KeyServerProcess;
}

/** Makes the fault happen; those of certificates, cards and readers are there already, and a card is pulled later. */
async function prepareFault(fault: Fault | undefined, stage: FaultStage): Promise<void> {
  switch (fault?.name) {
    case 'server-away':
      return stage.server.kill();
    case 'hsm-away': {
      const putBack = takeTokenAway(stage.site);
      stage.cleanup.add(async () => putBack());
      return;
    }
    case 'service-missing':
      return stage.readers.stopService();
    default:
      return;
  }
}
