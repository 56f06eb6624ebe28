/** `init`: a first configuration where there is none; otherwise everything it names, tried one by one, and the store made. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { rolesOfApp } from '../../catalogue/schema.ts';
import { appKeyPurpose } from '../../dialects/keys.ts';
import { newSecretSchema } from '../../protocol/wire.ts';
import { addFirstAdmin, isAdmin, recoverAdmin } from '../access/people.ts';
import { readConfig, type ServerConfig, vaultConfigOf } from '../config.ts';
import { OWN_RESOURCES, openCatalogue, openPackages } from '../resources.ts';
import { openStore } from '../store/open.ts';
import { listOperators } from '../store/people.ts';
import { startVault } from '../vault/client.ts';
import { faultsOfFiles } from './file-modes.ts';
import { filesOfServer } from './guarded-files.ts';
import { inStore } from './in-store.ts';
import { requireName } from './people.ts';
import { readSecrets } from './secrets.ts';

const FIRST = {
  listen: { host: '127.0.0.1', port: 8443 },
  tls: { key: 'pki/server.key', certificate: 'pki/server.pem', stationAuthorities: 'pki/stations.pem' },
  store: { kind: 'sqlite', file: 'data/kaika.sqlite' },
  vault: { module: '/usr/lib/softhsm/libsofthsm2.so', tokenLabel: 'Kaika', pinFile: 'pin' },
  operations: { port: 9443 },
};

const SOON_DAYS = 30;

/** As typed. */
export interface InitOptions {
  readonly admin?: string;
  readonly name?: string;
  readonly recover?: boolean;
}

/** Status 0 when a server could start with it, and there is somebody who can let people in. */
export async function initialise(file: string, options: InitOptions = {}): Promise<number> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  if (!existsSync(file)) {
    writeFileSync(file, `${JSON.stringify(FIRST, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    say(`A first configuration is in ${file}. Put in what is yours, and run init again.`);
    return 0;
  }
  const config = readConfig(file);
  let failed = 0;
  const check = async (name: string, work: () => Promise<string> | string) => {
    try {
      say(`ok       ${name}: ${await work()}`);
    } catch (error) {
      failed += 1;
      say(`missing  ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  await check('files', () => checkFiles(file, config));
  await check('tls', () => checkTls(config));
  await check('resources', () => checkResources(config));
  await check('store', () => checkStore(config));
  await check('vault', () => checkVault(config));
  if (failed === 0) await check('people', () => checkPeople(config, options));
  if (failed === 0) say('The key server can be started: serve --config FILE.');
  return failed === 0 ? 0 : 1;
}

function checkFiles(file: string, config: ServerConfig): string {
  const files = filesOfServer(file, config);
  const faults = faultsOfFiles(files);
  if (faults.length > 0) throw new Error(faults.join('; '));
  return process.platform === 'win32' ? 'not looked at on Windows' : 'for those only who need them';
}

function checkTls({ tls }: ServerConfig): string {
  const certificate = new X509Certificate(readFileSync(tls.certificate));
  if (!certificate.checkPrivateKey(createPrivateKey(readFileSync(tls.key))))
    throw new Error('tls.key is not the key of tls.certificate');
  new X509Certificate(readFileSync(tls.stationAuthorities));
  const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
  if (days < 0) throw new Error(`tls.certificate ended on ${certificate.validTo}`);
  const names = certificate.subjectAltName ?? 'no name';
  return `${names}${days < SOON_DAYS ? `, ends in ${Math.floor(days)} days` : ''}`;
}

function checkResources(config: ServerConfig): string {
  const folder = config.resources ?? OWN_RESOURCES;
  const catalogue = openCatalogue(folder);
  openPackages(folder, catalogue);
  return `${catalogue.apps.length} apps, ${catalogue.profiles.length} card types`;
}

async function checkStore(config: ServerConfig): Promise<string> {
  const store = await openStore(config.store);
  await store.destroy();
  return config.store.kind === 'sqlite' ? config.store.file : config.store.url;
}

/**
 * The first site admin is let in here, by whoever has the machine; everybody else by them. With `recover` one is let in, or given a secret, though
 * there are others: where none of them can sign in any more there is no other way.
 */
async function checkPeople(config: ServerConfig, { admin, name, recover }: InitOptions): Promise<string> {
  const known = (await inStore(config, listOperators)).filter((one) => isAdmin(one) && !one.disabled);
  if (admin === undefined) {
    if (known.length > 0) return `${known.length} site ${known.length === 1 ? 'admin' : 'admins'}`;
    throw new Error('no site admin: init --admin ID --name NAME, with their secret in standard input');
  }
  if (known.length > 0 && recover !== true)
    throw new Error(
      'there is a site admin already; they let others in: operator add. Where none of them can sign in any more: --recover',
    );
  if (name === undefined) throw new Error('--admin needs --name NAME as well');
  requireName('--admin', admin);
  requireName('--name', name);
  const [secret] = await readSecrets([`New secret of ${admin}`], 'the last is new');
  if (!newSecretSchema.safeParse(secret).success) throw new Error('a secret needs 8 to 256 characters');
  const letIn = recover === true ? recoverAdmin : addFirstAdmin;
  await inStore(config, (store) => letIn(store, { id: admin, name, secret }, new Date()));
  return `${name} is site admin, and lets everybody else in: operator add`;
}

async function checkVault(config: ServerConfig): Promise<string> {
  const vault = await startVault(vaultConfigOf(config));
  try {
    const status = await vault.status();
    const there = new Set(status.masters.map((key) => `${key.purpose} ${key.origin}`));
    const notes: string[] = [];
    const catalogue = openCatalogue(config.resources ?? OWN_RESOURCES);
    const { apps, profiles } = catalogue;
    const wanted = apps.flatMap(({ id }) =>
      rolesOfApp(catalogue, id).flatMap((role) =>
        ['factory', 'issuer'].map((origin) => `${appKeyPurpose(id, role)} ${origin}`),
      ),
    );
    const missing = wanted.filter((one) => !there.has(one));
    if (missing.length > 0) throw new Error(`the token has no key ${missing.join(', ')}`);
    // A site has the card types it buys: others only cannot be loaded here.
    const keyless = profiles
      .filter(({ securityDomain }) => securityDomain !== undefined)
      .filter(({ id }) => ['enc', 'mac', 'dek'].some((key) => !there.has(`isd/${id}/${key} factory`)))
      .map(({ id }) => id);
    const unfixed = status.masters.filter(({ rule }) => rule === null);
    if (unfixed.length > 0)
      throw new Error(`${unfixed.length} keys of an older program, with which nothing is done: keys fix`);
    if (keyless.length > 0)
      notes.push(`card types without transport keys, which cannot be loaded: ${keyless.join(', ')}`);
    await vault.seal({ clear: new Uint8Array(1), context: 'init' });
    return [
      `${status.token}, ${status.masters.length} keys`,
      'socket' in config.vault ? 'vault of another user' : 'vault of this user, who can open the token too',
      ...(status.softwareToken ? ['software token'] : []),
      ...(status.demo ? ['demonstration keys'] : []),
      ...notes,
    ].join('; ');
  } finally {
    await vault.close();
  }
}
