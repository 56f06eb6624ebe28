/** Opening the store: an SQLite file or a PostgreSQL database, the same tables and queries on both, every commit synced. */
import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { KaikaError } from '../../protocol/errors.ts';
import type { StoreConfig } from './config.ts';
import { migrate } from './migrate.ts';
import { openPostgresql } from './postgresql.ts';
import type { Store } from './store.ts';
import type { Database } from './tables.ts';

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
  let database: SqliteDatabase.Database | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const opened = new SqliteDatabase(file, { timeout: 5_000 });
    database = opened;
    // It holds hashes and accounts; files beside it take its mode.
    chmodSync(file, 0o600);
    setSynced(opened);
    const store = new Kysely<Database>({ dialect: new SqliteDialect({ database: opened }) });
    // Held over all migrations: a second process that starts now waits, and then finds them done.
    opened.exec('begin immediate');
    try {
      await migrate(store);
      opened.exec('commit');
    } catch (error) {
      if (opened.inTransaction) opened.exec('rollback');
      throw error;
    }
    return store;
  } catch (error) {
    database?.close();
    throw unusable(error);
  }
}

/** Changing the journal mode does not wait for others by itself, and two processes may open a new file at once. */
function setSynced(database: SqliteDatabase.Database): void {
  const until = Date.now() + 5_000;
  for (;;) {
    try {
      database.pragma('journal_mode = WAL');
      break;
    } catch (error) {
      const busy = error instanceof SqliteDatabase.SqliteError && error.code.startsWith('SQLITE_BUSY');
      if (!busy || Date.now() > until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
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
