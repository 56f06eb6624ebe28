/** `keys`: versions of the issuer's master keys, which of them is active, and which cards are on which. */
import { toHex } from '../../card/bytes.ts';
import { ConfigError, type ServerConfig, tokenOf, vaultConfigOf } from '../config.ts';
import { fixKeys } from '../keys/fix.ts';
import { placeOf, purposesOf } from '../keys/groups.ts';
import { makeKeys } from '../keys/make.ts';
import { retireKeys } from '../keys/retire.ts';
import { activateKeys, adoptKeys, earlierVersion, type KeyChange } from '../keys/versions.ts';
import { OWN_RESOURCES, openCatalogue } from '../resources.ts';
import { listVersions } from '../store/key-versions.ts';
import { countVersions, listOnCards } from '../store/keys-on-cards.ts';
import { openStore, type Store } from '../store/open.ts';
import type { KeyVersionsTable } from '../store/tables.ts';
import { openVaultAdmin } from '../vault/admin.ts';
import { startVault } from '../vault/client.ts';
import type { MasterKeyInfo } from '../vault/keys.ts';
import { inStore } from './in-store.ts';
import { prove, whoAnswers } from './who.ts';

/** Options of the command line, as they were typed. */
export interface KeysOptions {
  readonly key?: string | undefined;
  readonly version?: string | undefined;
  readonly operator?: string | undefined;
  readonly reason?: string | undefined;
  readonly after?: string | undefined;
  readonly limit?: string | undefined;
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const tell = (line: string) => process.stderr.write(`${line}\n`);
const MOST_LISTED = 10_000;

/** @throws ConfigError for an unknown command or missing options; KaikaError when the change is refused; VaultError */
export async function keys(
  config: ServerConfig,
  command: string | undefined,
  options: KeysOptions,
): Promise<number> {
  switch (command) {
    case 'list':
      return list(config);
    case 'make':
      return make(config, await changeOf(config, options, 'make'));
    case 'fix':
      return fix(config, options);
    case 'activate':
      return activate(config, await changeOf(config, options, 'activate'), versionOf(options, 'activate'));
    case 'rollback':
      return activate(config, await changeOf(config, options, 'rollback'));
    case 'retire':
      return retire(config, await changeOf(config, options, 'retire'), versionOf(options, 'retire'));
    case 'report':
      return report(config, options);
    default:
      throw new ConfigError('keys list, make, activate, rollback, retire, report or fix.');
  }
}

async function changeOf(
  config: ServerConfig,
  { key, operator, reason }: KeysOptions,
  command: string,
): Promise<KeyChange> {
  if (key === undefined || operator === undefined || reason === undefined || reason.trim().length < 5)
    throw new ConfigError(
      `keys ${command} needs --key KEY, --operator ID and --reason TEXT of 5 characters at least.`,
    );
  await proveCustodian(config, operator);
  return {
    name: key,
    purposes: await purposesIn(config, key),
    operator,
    reason: reason.trim().slice(0, 500),
  };
}

/** Whoever answers for it signs in for this command. @throws ConfigError, KaikaError */
async function proveCustodian(config: ServerConfig, operator: string): Promise<void> {
  const who = await whoAnswers(operator);
  await inStore(config, (store) => prove(store, who, 'change-keys', config, new Date()));
}

/** What the name of a key stands for at this site. @throws KaikaError `bad-request` */
async function purposesIn({ resources, store: at }: ServerConfig, key: string): Promise<readonly string[]> {
  const store = await openStore(at);
  try {
    const kept = [...(await listVersions(store)), ...(await countVersions(store))];
    return purposesOf(
      openCatalogue(resources ?? OWN_RESOURCES),
      key,
      kept.map(({ purpose }) => purpose),
    );
  } finally {
    await store.destroy();
  }
}

function versionOf({ version }: KeysOptions, command: string): number {
  return numberOf(version, 65_535) ?? fail(`keys ${command} needs --version NUMBER.`);
}

function numberOf(text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const number = /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= most ? number : fail(`"${text}" is no number from 1 to ${most}.`);
}

function fail(sentence: string): never {
  throw new ConfigError(sentence);
}

/** The store, and the token's keys as it has them now; keys that the store never heard of are taken over. */
async function withKeys<T>(
  config: ServerConfig,
  work: (store: Store, masters: readonly MasterKeyInfo[]) => Promise<T>,
): Promise<T> {
  const store = await openStore(config.store);
  try {
    const vault = await startVault(vaultConfigOf(config));
    const masters = await vault.status().then(
      (status) => status.masters,
      async (error: unknown) => {
        await vault.close();
        throw error;
      },
    );
    await vault.close();
    await adoptKeys(store, masters, new Date());
    return await work(store, masters);
  } finally {
    await store.destroy();
  }
}

async function list(config: ServerConfig): Promise<number> {
  await withKeys(config, async (store, masters) => {
    const rows = await listVersions(store);
    for (const key of masters)
      say(
        `${key.purpose} ${key.origin} v${key.version} ${key.algorithm} check value ${toHex(key.checkValue)} ${stateOf(key, rows)}`,
      );
    for (const row of rows.filter((one) => one.state !== 'retired' && !isThere(one, masters)))
      say(`${row.purpose} issuer v${row.version} ${row.state}, NOT IN THE TOKEN`);
  });
  return 0;
}

function isThere(row: KeyVersionsTable, masters: readonly MasterKeyInfo[]): boolean {
  return masters.some(
    (key) => key.origin === 'issuer' && key.purpose === row.purpose && key.version === row.version,
  );
}

function stateOf(key: MasterKeyInfo, rows: readonly KeyVersionsTable[]): string {
  if (key.origin === 'factory') return 'transport key';
  const row = rows.find((one) => one.purpose === key.purpose && one.version === key.version);
  if (row === undefined) return 'not recorded';
  return row.check_value === toHex(key.checkValue)
    ? row.state
    : `${row.state}, BUT ANOTHER KEY THAN RECORDED`;
}

async function make(config: ServerConfig, change: KeyChange): Promise<number> {
  const catalogue = openCatalogue(config.resources ?? OWN_RESOURCES);
  const store = await openStore(config.store);
  try {
    const admin = await openVaultAdmin(tokenOf(config));
    try {
      for (const { purpose, version, checkValue } of await makeKeys(
        store,
        admin,
        catalogue,
        change,
        new Date(),
      ))
        say(`${purpose} issuer v${version} check value ${toHex(checkValue)} ready`);
    } finally {
      await admin.close();
    }
  } finally {
    await store.destroy();
  }
  tell(
    'Back the token up, and restore that backup elsewhere; then: keys activate. Nothing uses the new version yet.',
  );
  return 0;
}

/**
 * Gives every master of an older program the rule that it lacks, as the catalogue says it. What is fixed is printed, because it is for good.
 * @throws KaikaError `bad-request` before anything is fixed where the catalogue does not say a rule
 */
async function fix(config: ServerConfig, { operator, reason }: KeysOptions): Promise<number> {
  if (operator === undefined || reason === undefined || reason.trim().length < 5)
    throw new ConfigError('keys fix needs --operator ID and --reason TEXT of 5 characters at least.');
  await proveCustodian(config, operator);
  const catalogue = openCatalogue(config.resources ?? OWN_RESOURCES);
  const store = await openStore(config.store);
  try {
    const admin = await openVaultAdmin(tokenOf(config));
    try {
      const change = { operator, reason: reason.trim().slice(0, 500) };
      const fixed = await fixKeys(store, admin, catalogue, change, new Date());
      for (const { purpose, origin, version, rule } of fixed)
        say(`${purpose} ${origin} v${version} diversified by ${rule?.diversifiedBy ?? 'nothing'}`);
      if (fixed.length === 0) tell('Every master has its rule.');
      if (fixed.some(({ rule }) => rule?.diversifiedBy === 'account'))
        tell(
          'Masters of an account alone are written to no fresh card any more: keys make, then keys activate.',
        );
    } finally {
      await admin.close();
    }
  } finally {
    await store.destroy();
  }
  return 0;
}

async function activate(config: ServerConfig, change: KeyChange, wanted?: number): Promise<number> {
  const version = await withKeys(config, async (store, masters) => {
    const to = wanted ?? (await earlierVersion(store, change));
    await activateKeys(store, masters, to, change, new Date());
    return to;
  });
  tell(
    `New writes of ${change.name} use version ${version} from now on; cards on others are moved when they come.`,
  );
  return 0;
}

async function retire(config: ServerConfig, change: KeyChange, version: number): Promise<number> {
  await withKeys(config, (store) => retireKeys(store, version, change, new Date()));
  tell(`${change.name} version ${version} is retired: it is on no card and cannot become active again.`);
  return 0;
}

/** Without a version how many cards are on each; with one, which. */
async function report(config: ServerConfig, options: KeysOptions): Promise<number> {
  const { key } = options;
  const version = numberOf(options.version, 65_535);
  if (version !== undefined && key === undefined)
    throw new ConfigError('keys report --version needs --key KEY.');
  const limit = numberOf(options.limit, MOST_LISTED) ?? 100;
  const store = await openStore(config.store);
  try {
    const purposes = key === undefined ? undefined : await purposesIn(config, key);
    if (purposes !== undefined && version !== undefined)
      return await reportCards(store, purposes, version, { after: options.after ?? '', limit });
    const rows = await listVersions(store);
    for (const { purpose, version: on, cards } of await countVersions(store)) {
      // The three keys of a domain are one line.
      if (purposes?.every((one) => one !== purpose && !one.startsWith(`${purpose}/`)) === true) continue;
      const row = rows.find(
        (one) => one.version === on && (one.purpose === purpose || one.purpose === `${purpose}/enc`),
      );
      say(
        `${purpose} ${on === null ? 'transport key' : `v${on}`}: ${cards} ${cards === 1 ? 'card' : 'cards'}${row === undefined ? '' : ` (${row.state})`}`,
      );
    }
  } finally {
    await store.destroy();
  }
  return 0;
}

async function reportCards(
  store: Store,
  purposes: readonly string[],
  version: number,
  page: { readonly after: string; readonly limit: number },
): Promise<number> {
  // Of a domain's three keys any one says it; of an app's keys each card that has one of them.
  const asked = purposes[0]?.startsWith('isd/') === true ? purposes.slice(0, 1) : purposes;
  const pages = await Promise.all(
    asked.map((purpose) => listOnCards(store, placeOf(purpose), version, page)),
  );
  const cards = [...new Set(pages.flat())].sort().slice(0, page.limit);
  for (const card of cards) say(card);
  if (cards.length === page.limit) tell(`There may be more: --after ${cards[cards.length - 1]}`);
  return 0;
}
