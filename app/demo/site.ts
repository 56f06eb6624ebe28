/**
 * The demo's site: certificates, token, key server configuration, people and station, made once in the user's data folder.
 * It is made beside its place and renamed when whole, so that an interrupted set-up is simply made again.
 */
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { enrolStation } from '../keyserver/access/stations.ts';
import { openSqliteStore } from '../keyserver/store/open.ts';
import { softHsmPaths, writeSoftHsmConf } from '../keyserver/vault/softhsm.ts';
import { makeDelivery, makeDemoToken, writeDelivery } from './delivery.ts';
import {
  bringPeopleUp,
  newPeople,
  type People,
  type PeopleOnFile,
  peopleOf,
  putPeople,
  writePeople,
} from './people.ts';
import { makeAuthority } from './pki.ts';
import { bringTokenUp, markToken } from './token-upgrade.ts';

const STATION = 'demo-station';
const TOKEN = 'Kaika demo';

/** Paths of everything that belongs to a site. */
export function sitePaths(folder: string) {
  const pki = join(folder, 'pki');
  const server = join(folder, 'server');
  const token = softHsmPaths(join(folder, 'token'));
  return {
    folder,
    people: join(folder, 'people.json'),
    delivery: join(folder, 'delivery.json'),
    tokenFolder: join(folder, 'token'),
    tokens: token.tokenDir,
    softhsmConf: token.softhsmConf,
    pin: join(folder, 'pin'),
    tokenMark: join(folder, 'token', 'made-with'),
    pki,
    server,
    config: join(server, 'config.json'),
    store: join(server, 'kaika.sqlite'),
    log: join(server, 'server.log'),
    station: join(folder, 'station'),
    cards: join(folder, 'cards'),
  };
}
export type { People };

export type SitePaths = ReturnType<typeof sitePaths>;

/** A site that is whole. `people` are those who can sign in. */
interface Site {
  readonly paths: SitePaths;
  readonly people: People;
}

/** Reads the site in `folder`, making it when it is not there, not whole or of another version. */
export async function openSite(folder: string, module: string, say: (line: string) => void): Promise<Site> {
  const paths = sitePaths(folder);
  // SoftHSM's configuration takes # for the beginning of a comment.
  if (folder.includes('#'))
    throw new Error(`${folder}: the data folder’s path may not hold a #; name another one in KAIKA_DATA.`);
  repairToken(paths);
  let people: People;
  if (isThere(folder)) people = await bringPeopleUp(paths, readPeople(paths));
  else {
    say('making the demo: certificates, a software HSM with fresh keys, a key server');
    people = await makeSite(folder, module);
  }
  // SoftHSM's configuration holds absolute paths: the folder may have moved.
  writeSoftHsmConf(paths.tokenFolder);
  writeServerConfig(paths, module);
  await bringTokenUp({
    tokenMark: paths.tokenMark,
    store: paths.store,
    token: {
      module,
      tokenLabel: TOKEN,
      pin: { pinFile: paths.pin },
      softhsmConf: paths.softhsmConf,
      demo: true,
    },
    operator: people.custodian.operator,
  });
  return { paths, people };
}

/** A site appears in its place only when it is whole (it is renamed there), so a folder that holds anything holds a site, or something of somebody else's that must not be touched. */
function isThere(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0;
}

/** @throws Error in a sentence: nothing is made anew over what cannot be read, because keys and records go with it */
function readPeople(paths: SitePaths): PeopleOnFile {
  try {
    return peopleOf(readFileSync(paths.people, 'utf8'));
  } catch {
    throw new Error(
      `${paths.folder} is not a demo that this version can read. Nothing in it was touched: ` +
        'move it away, or name another data folder in KAIKA_DATA.',
    );
  }
}

/** Whether the folder is a demo's, of whatever version: it may be thrown away on request. */
export function isSite(folder: string): boolean {
  return existsSync(sitePaths(folder).people);
}

/** A played fault may have been killed before it put the token back. */
function repairToken(paths: SitePaths): void {
  if (existsSync(awayName(paths)) && !existsSync(paths.tokens)) renameSync(awayName(paths), paths.tokens);
}

function awayName(paths: SitePaths): string {
  return `${paths.tokens}.away`;
}

/** Takes the token away, as a network HSM that went; gives the way to put it back. */
export function takeTokenAway(paths: SitePaths): () => void {
  renameSync(paths.tokens, awayName(paths));
  return () => repairToken(paths);
}

async function makeSite(folder: string, module: string): Promise<People> {
  const making = `${folder}.making`;
  rmSync(making, { recursive: true, force: true });
  const paths = sitePaths(making);
  for (const path of [paths.pki, paths.server, paths.cards])
    mkdirSync(path, { recursive: true, mode: 0o700 });
  const delivery = makeDelivery();
  writeDelivery(paths.delivery, delivery);
  await makeDemoToken(
    { module, tokenFolder: paths.tokenFolder, tokenLabel: TOKEN, pinFile: paths.pin },
    delivery,
  );
  markToken(paths.tokenMark);
  const stationCertificate = await makeCertificates(paths);
  const people = newPeople();
  const store = await openSqliteStore(paths.store);
  try {
    const certificate = new X509Certificate(stationCertificate);
    await putPeople(store, people);
    const station = { name: STATION, certificate, branch: null };
    await enrolStation(store, station, { by: people.admin.operator }, new Date());
  } finally {
    await store.destroy();
  }
  writePeople(paths.people, people);
  // Whoever came this far found the place missing or empty; removing an empty folder loses nothing, and rename needs the place free.
  renameSync(making, folder);
  return people;
}

/** Files of each identity below pki/. `stranger` is a station nobody enrolled; `early` is valid from next year only. */
async function makeCertificates(paths: SitePaths): Promise<string> {
  const authority = await makeAuthority('Kaika demo authority');
  const other = await makeAuthority('Somebody else');
  const nextYear = { notBefore: new Date(Date.now() + 365 * 24 * 3600 * 1000) };
  const files = {
    server: await authority.issue({ name: 'localhost', use: 'server' }),
    station: await authority.issue({ name: STATION, use: 'client' }),
    stranger: await authority.issue({ name: 'stranger', use: 'client' }),
    early: await authority.issue({ name: 'localhost', use: 'server', ...nextYear }),
    impostor: await other.issue({ name: 'localhost', use: 'server' }),
  };
  writeFileSync(join(paths.pki, 'ca.pem'), authority.certificate);
  for (const [name, identity] of Object.entries(files)) {
    writeFileSync(join(paths.pki, `${name}.pem`), identity.certificate);
    writeFileSync(join(paths.pki, `${name}.key`), identity.key, { mode: 0o600 });
  }
  return files.station.certificate;
}

/** Whose certificate the demo's key server shows; others than `server` are for playing faults. */
export type ServerIdentity = 'server' | 'early' | 'impostor';

export function writeServerConfig(
  paths: SitePaths,
  module: string,
  identity: ServerIdentity = 'server',
  port = 0,
): void {
  const config = {
    listen: { host: '127.0.0.1', port },
    tls: {
      key: `../pki/${identity}.key`,
      certificate: `../pki/${identity}.pem`,
      stationAuthorities: '../pki/ca.pem',
    },
    store: { kind: 'sqlite', file: 'kaika.sqlite' },
    vault: { module, tokenLabel: TOKEN, pinFile: '../pin', softhsmConf: '../token/softhsm2.conf' },
    demo: true,
  };
  writeFileSync(paths.config, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}
