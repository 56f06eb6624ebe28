/** Bringing a store up to date, and refusing one that is ahead of this program. */
import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { KaikaError } from '../../protocol/errors.ts';
import { MIGRATIONS } from './migrations.ts';
import type { Store } from './store.ts';

/** Two instances that start on a new PostgreSQL database at once both make Migrator's own tables. */
const ATTEMPTS = 5;

/**
 * Runs what has not run yet. On PostgreSQL Migrator holds an advisory lock meanwhile; for SQLite the caller holds the file.
 * @throws KaikaError `server-store-failed` for a store of a newer version; what keeps a migration from running
 */
export async function migrate(store: Store): Promise<void> {
  const migrator = new Migrator({ db: store, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  for (let attempt = 1; ; attempt += 1) {
    await refuseNewer(store, migrator);
    const { error } = await migrator.migrateToLatest();
    if (error === undefined) return;
    if (attempt >= ATTEMPTS || !isRace(error)) throw error;
  }
}

async function refuseNewer(store: Store, migrator: Migrator): Promise<void> {
  const tables = await store.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === 'kysely_migration')) return;
  const ran = await sql<{ name: string }>`select name from kysely_migration`.execute(store);
  const known = new Set((await migrator.getMigrations()).map(({ name }) => name));
  const newer = ran.rows.map(({ name }) => name).filter((name) => !known.has(name));
  if (newer.length > 0) {
    throw new KaikaError(
      'server-store-failed',
      `the store was written by a newer version of the key server (${newer.join(', ')}): update this one, or restore a backup`,
    );
  }
}

/** duplicate_table, unique_violation: somebody else made the same at the same moment. */
function isRace(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : '';
  return code === '42P07' || code === '23505' || code === '40001' || code === '40P01';
}
