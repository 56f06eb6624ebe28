/** `station`: which stations may come, and shutting them out. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { enrolStation, moveStationTo, shutStationOut } from '../access/stations.ts';
import { ConfigError, type ServerConfig } from '../config.ts';
import { listStations } from '../store/stations.ts';
import { inStore } from './in-store.ts';
import { branchOf, requireName } from './people.ts';
import { answeredFor, LEAST_REASON, need, reasonOf, type WhoOptions } from './who.ts';

/** As typed. */
export interface StationOptions extends WhoOptions {
  readonly name?: string;
  readonly certificate?: string;
  readonly branch?: string | boolean;
}

const RIGHT = 'manage-stations';

const tell = (line: string) => process.stderr.write(`${line}\n`);

/** @throws ConfigError for what was left out; KaikaError when it is refused */
export async function stations(
  config: ServerConfig,
  command: string,
  options: StationOptions,
): Promise<number> {
  switch (command) {
    case 'list':
      return list(config);
    case 'add':
      return add(config, options);
    case 'revoke':
      return revoke(config, options);
    case 'move':
      return move(config, options);
    default:
      throw new ConfigError('station list, add, revoke or move.');
  }
}

async function list(config: ServerConfig): Promise<number> {
  for (const { name, fingerprint, branch, revoked } of await inStore(config, listStations))
    process.stdout.write(
      `${[name, branch ?? 'no branch', fingerprint, ...(revoked ? ['revoked'] : [])].join(', ')}\n`,
    );
  return 0;
}

async function add(config: ServerConfig, options: StationOptions): Promise<number> {
  const { name, certificate } = options;
  if (name === undefined || certificate === undefined || options.operator === undefined)
    throw new ConfigError(
      'station add needs --name NAME, --certificate FILE and --operator ID of a site admin; --branch B where it stands in one.',
    );
  requireName('--name', name);
  const station = { name, certificate: readCertificate(certificate), ...branchOf(options.branch) };
  await answeredFor(config, options, RIGHT, (store, mandate, now) =>
    enrolStation(store, station, mandate, now),
  );
  tell(`Station ${name} is enrolled. The certificate that it had before is revoked.`);
  return 0;
}

async function revoke(config: ServerConfig, options: StationOptions): Promise<number> {
  const needs = `station revoke needs --name NAME, --operator ID of a site admin, and --reason TEXT of ${LEAST_REASON} characters at least; --second ID of another where there is one.`;
  const name = need(options.name, needs);
  if (reasonOf(options).length < LEAST_REASON) throw new ConfigError(needs);
  await answeredFor(config, options, RIGHT, (store, mandate, now) =>
    shutStationOut(store, name, mandate, now),
  );
  tell(`Station ${name} is shut out from its next request on. Its certificate never comes back.`);
  return 0;
}

async function move(config: ServerConfig, options: StationOptions): Promise<number> {
  const needs =
    'station move needs --name NAME, --branch B or --no-branch, and --operator ID of a site admin.';
  const name = need(options.name, needs);
  const { branch } = branchOf(options.branch);
  if (branch === undefined) throw new ConfigError(needs);
  await answeredFor(config, options, RIGHT, (store, mandate, now) =>
    moveStationTo(store, name, branch, mandate, now),
  );
  tell(
    branch === null
      ? `Station ${name} stands in no branch from now on: everybody can sign in there.`
      : `Station ${name} stands in ${branch} from now on. Whoever is of another branch is signed out there.`,
  );
  return 0;
}

/** @throws ConfigError naming the file */
function readCertificate(file: string): X509Certificate {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    throw new ConfigError(`${file}: the certificate cannot be read.`);
  }
  try {
    return new X509Certificate(bytes);
  } catch {
    throw new ConfigError(`${file} is no certificate in PEM.`);
  }
}
