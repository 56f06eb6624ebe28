/** Opening the store: an SQLite file or a PostgreSQL database, the same tables and queries on both, every commit synced. */
import { KaikaError } from '../../protocol/errors.ts';
import type { StoreConfig } from './config.ts';
import { migrate } from './migrate.ts';
import { openPostgresql } from './postgresql.ts';
import { openSqlite } from './sqlite.ts';
import type { Store } from './store.ts';

export type { Store };

/**
 * Opens (and makes, and brings up to date) the store of a configuration.
 * @throws KaikaError `server-store-failed` when it cannot be used or comes from a newer version.
 */
export function openStore(config: StoreConfig): Promise<Store> {
  return config.kind === 'sqlite' ? openSqliteStore(config.file) : openPostgresqlStore(config);
}

/**
 * Opens (and makes, and brings up to date) the SQLite store in `file`.
 * @throws KaikaError `server-store-failed` when the file cannot be used or comes from a newer version.
 */
export async function openSqliteStore(file: string): Promise<Store> {
  try {
    return await openSqlite(file);
  } catch (error) {
    throw unusable(error);
  }
}

async function openPostgresqlStore(config: Extract<StoreConfig, { kind: 'postgresql' }>): Promise<Store> {
  let store: Store | undefined;
  try {
    store = await openPostgresql(config);
    await migrate(store);
    return store;
  } catch (error) {
    await store?.destroy();
    throw unusable(error);
  }
}

function unusable(error: unknown): KaikaError {
  if (error instanceof KaikaError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new KaikaError('server-store-failed', `the store cannot be used: ${reason}`);
}
