/** `backup`, `restore` and `release`: what keeps a site going when something went wrong. */
import { basename } from 'node:path';
import { writeAudit } from '../audit/entries.ts';
import { ConfigError, type ServerConfig } from '../config.ts';
import { releaseSetAside } from '../recovery/release.ts';
import { restoreBackup } from '../recovery/restore.ts';
import { OWN_RESOURCES, openCatalogue } from '../resources.ts';
import { writeBackup } from '../store/backup.ts';
import { openStore, type Store } from '../store/open.ts';

export async function backUp(config: Pick<ServerConfig, 'store'>, to?: string): Promise<number> {
  if (to === undefined) throw new ConfigError('backup needs --to FILE.');
  const rows = await withStore(config, async (store) => {
    const now = new Date();
    // First: records that were taken away without a word in the audit would be worse than a word of a backup that failed.
    await writeAudit(store, { kind: 'backup', detail: { file: basename(to) } }, now);
    return writeBackup(store, to, now);
  });
  process.stderr.write(`${rows} rows are in ${to}. The token is not: back it up by its vendor's means.\n`);
  return 0;
}

export async function restore(config: ServerConfig, from?: string): Promise<number> {
  if (from === undefined) throw new ConfigError('restore needs --from FILE.');
  const generation = await withStore(config, (store) => restoreBackup(store, from, new Date()));
  process.stderr.write(`The store is restored; its generation is ${generation}.\n`);
  return 0;
}

export async function release(
  config: ServerConfig,
  card?: string,
  operator?: string,
  reason?: string,
): Promise<number> {
  if (card === undefined || operator === undefined || reason === undefined || reason.trim().length < 5)
    throw new ConfigError(
      'release needs --card ID, --operator ID and --reason TEXT of 5 characters at least.',
    );
  const catalogue = openCatalogue(config.resources ?? OWN_RESOURCES);
  await withStore(config, (store) =>
    releaseSetAside(store, catalogue, { card, operator, reason: reason.trim().slice(0, 500) }, new Date()),
  );
  process.stderr.write(`Card ${card} may be worked on again; that is on record under ${operator}.\n`);
  return 0;
}

async function withStore<T>(
  config: Pick<ServerConfig, 'store'>,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openStore(config.store);
  try {
    return await work(store);
  } finally {
    await store.destroy();
  }
}
