/** `backup` and `restore`: what keeps a site going when something went wrong. */
import { basename } from 'node:path';
import { writeAudit } from '../audit/entries.ts';
import { ConfigError, type ServerConfig, vaultConfigOf } from '../config.ts';
import { backupSeal } from '../recovery/backup-seal.ts';
import { restoreBackup } from '../recovery/restore.ts';
import { type BackupTrust, writeBackup } from '../store/backup.ts';
import { startVault } from '../vault/client.ts';
import type { Vault } from '../vault/vault.ts';
import { inStore } from './in-store.ts';

/** What of the configuration a backup is made of and proven with. */
type Kept = Pick<ServerConfig, 'store' | 'vault' | 'demo'>;

export async function backUp(config: Kept, to?: string): Promise<number> {
  if (to === undefined) throw new ConfigError('backup needs --to FILE.');
  const rows = await withVault(config, (vault) =>
    inStore(config, async (store) => {
      const now = new Date();
      // First: records that were taken away without a word in the audit would be worse than a word of a backup that failed.
      await writeAudit(store, { kind: 'backup', detail: { file: basename(to) } }, now);
      return writeBackup(store, to, now, backupSeal(vault));
    }),
  );
  process.stderr.write(`${rows} rows are in ${to}. The token is not: back it up by its vendor's means.\n`);
  return 0;
}

/** `unauthenticated`: nobody but whoever types the command says where the file comes from. */
export async function restore(
  config: Kept,
  from?: string,
  unauthenticated: boolean = false,
): Promise<number> {
  if (from === undefined) throw new ConfigError('restore needs --from FILE.');
  const put = (trust: BackupTrust) =>
    inStore(config, (store) => restoreBackup(store, from, new Date(), trust));
  if (unauthenticated) process.stderr.write(UNAUTHENTICATED);
  const generation = unauthenticated
    ? await put('unauthenticated')
    : await withVault(config, (vault) => put(backupSeal(vault)));
  process.stderr.write(`The store is restored; its generation is ${generation}.\n${LOOK_AT_PEOPLE}`);
  return 0;
}

const LOOK_AT_PEOPLE = `Whoever was shut out since the backup was made, and every station that was revoked, may come again, and secrets are
those of then. Look at them before a server starts: operator list, station list.
`;

const UNAUTHENTICATED = `Nothing proves who wrote this backup. Whoever could write to the file could add operators and stations to it, change what is
known of cards and take away what is on record. That it was restored so goes to the table audit.
`;

async function withVault<T>(config: Kept, work: (vault: Vault) => Promise<T>): Promise<T> {
  const vault = await startVault(vaultConfigOf(config));
  try {
    return await work(vault);
  } finally {
    await vault.close();
  }
}
