/** An SQLite file as the store: every commit synced, and a full disk told as one. */
import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import {
  type DatabaseConnection,
  type Driver,
  Kysely,
  type SqliteDatabase as KyselyDatabase,
  SqliteDialect,
  SqliteDriver,
} from 'kysely';
import { migrate } from './migrate.ts';
import type { Store } from './store.ts';
import type { Database } from './tables.ts';

/** Opens (and makes, and brings up to date) the store in `file`. @throws what SQLite or the file system says */
export async function openSqlite(file: string): Promise<Store> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = new SqliteDatabase(file, { timeout: 5_000 });
  try {
    // It holds hashes and accounts; files beside it take its mode.
    chmodSync(file, 0o600);
    setSynced(database);
    const store = storeOn(database);
    // Held over all migrations: a second process that starts now waits, and then finds them done.
    database.exec('begin immediate');
    try {
      await migrate(store);
      database.exec('commit');
    } catch (error) {
      if (database.inTransaction) database.exec('rollback');
      throw error;
    }
    return store;
  } catch (error) {
    database.close();
    throw error;
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

export function storeOn(database: SqliteDatabase.Database): Store {
  const remembered = remembering(database);
  class PatientDialect extends SqliteDialect {
    override createDriver(): Driver {
      return new PatientDriver(remembered, () => database.inTransaction);
    }
  }
  return new Kysely<Database>({ dialect: new PatientDialect({ database: remembered }) });
}

/** More than the program has queries; some have as many texts as there are lengths of a list. */
const MOST_STATEMENTS = 1_000;

/**
 * The database with its statements kept: making one anew for each query takes longer than most queries do. SQLite itself makes a kept one
 * anew when the tables have changed (sqlite3_prepare_v2).
 */
function remembering(database: SqliteDatabase.Database): KyselyDatabase {
  const kept = new Map<string, SqliteDatabase.Statement>();
  return {
    close: () => database.close(),
    prepare: (sql) => {
      const known = kept.get(sql);
      // One whose rows are still being read cannot begin again.
      if (known !== undefined && !known.busy) return known;
      const statement = database.prepare(sql);
      if (kept.size >= MOST_STATEMENTS) kept.clear();
      kept.set(sql, statement);
      return statement;
    },
  };
}

/**
 * When the disk is full, or cannot be read, SQLite takes a transaction back by itself (sqlite3_get_autocommit, "automatic rollback"). Taking
 * it back once more is an error of its own, which would be told in place of the one that says what is wrong.
 */
class PatientDriver extends SqliteDriver {
  readonly #inTransaction: () => boolean;

  constructor(database: KyselyDatabase, inTransaction: () => boolean) {
    super({ database });
    this.#inTransaction = inTransaction;
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#inTransaction()) await super.rollbackTransaction(connection);
  }
}
