/** `status`: what an administrator asks first, without keys and without cards' data. */
import { toHex } from '../../card/bytes.ts';
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { type ServerConfig, vaultConfigOf } from '../config.ts';
import { OWN_RESOURCES, openCatalogue } from '../resources.ts';
import { readStoreGeneration } from '../store/generation.ts';
import { countRows } from '../store/health.ts';
import { openStore } from '../store/open.ts';
import { startVault } from '../vault/client.ts';
import type { NewKeyPath, VaultStatus } from '../vault/operations/token.ts';
import { faultsOfFiles } from './file-modes.ts';
import { filesOfServer } from './guarded-files.ts';

/** Status 1 when files are open to others: what the rest says is then worth less. */
export async function printStatus(file: string, config: ServerConfig): Promise<number> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const vault = await startVault(vaultConfigOf(config));
  try {
    const status = await vault.status();
    say(
      'socket' in config.vault
        ? 'Vault    a user of its own: this one cannot read the PIN'
        : 'Vault    this user: who has this user can read PIN and token',
    );
    say(`Token    ${status.token} (${status.manufacturer})${status.softwareToken ? ', software token' : ''}`);
    if (status.demo) say('Token    demonstration keys: they protect nothing');
    for (const profile of openCatalogue(config.resources ?? OWN_RESOURCES).profiles)
      for (const line of pathsOf(profile, status)) say(line);
    for (const key of status.masters) {
      say(
        `Key      ${key.purpose} ${key.origin} v${key.version} ${key.algorithm} check value ${toHex(key.checkValue)}, ${key.rule === null ? 'NOTHING FIXED: keys fix' : `diversified by ${key.rule.diversifiedBy}`}`,
      );
    }
  } finally {
    await vault.close();
  }
  const store = await openStore(config.store);
  try {
    say(`Store    ${config.store.kind}, generation ${await readStoreGeneration(store)}`);
    for (const { table, rows } of await countRows(store)) say(`Store    ${rows} ${table}`);
  } finally {
    await store.destroy();
  }
  const faults = faultsOfFiles(filesOfServer(file, config));
  for (const fault of faults) say(`REFUSED  ${fault}`);
  return faults.length === 0 ? 0 : 1;
}

const PATHS: Readonly<Record<NewKeyPath, string>> = {
  'inside-token': 'wrapped inside the token',
  'wiped-buffer': 'through one wiped buffer of the vault process',
};

/** How new keys reach cards of a type, and whether what they travel under is worth something. */
function pathsOf(profile: CardTypeProfile, status: VaultStatus): string[] {
  const { id, securityDomain: domain } = profile;
  const lines = [`Type     ${id}: new app keys ${PATHS[status.newKeys]}`];
  if (domain?.issuerKeys !== undefined)
    lines.push(`Type     ${id}: new domain keys ${PATHS[status.newDomainKeys[domain.algorithm]]}`);
  if (domain?.factoryKeys.diversification.kind === 'none')
    lines.push(`Type     ${id}: WEAK, all cards of the type have the same transport keys`);
  return lines;
}
