/** Opening the store: an SQLite file, write-ahead log, every commit synced before it counts. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { KaikaError } from '../../protocol/errors.ts';
import { MIGRATIONS } from './migrations.ts';
import type { Database } from './tables.ts';

export type Store = Kysely<Database>;

/**
 * Opens (and makes, and brings up to date) the SQLite store in `file`.
 * @throws KaikaError `server-store-failed` when the file cannot be used or comes from a newer version.
 */
export async function openSqliteStore(file: string): Promise<Store> {
  let database: SqliteDatabase.Database | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    database = new SqliteDatabase(file, { timeout: 5_000 });
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    const store = new Kysely<Database>({ dialect: new SqliteDialect({ database }) });
    await migrate(store);
    return store;
  } catch (error) {
    database?.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new KaikaError('server-store-failed', `the store cannot be used: ${reason}`);
  }
}

/** @throws what keeps a migration from running */
async function migrate(store: Store): Promise<void> {
  const migrator = new Migrator({ db: store, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}
