/** Versions of master keys: which of them is active, and which are on cards. */
import { type Kysely, sql } from 'kysely';
import type { Queries } from './store.ts';
import type { Database } from './tables.ts';
import { isPostgresql } from './transaction.ts';

export async function keyVersions(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable('key_versions')
    .addColumn('purpose', 'text', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('check_value', 'text', (c) => c.notNull())
    .addColumn('made', 'text', (c) => c.notNull())
    .addColumn('activated', 'text')
    .addPrimaryKeyConstraint('key_versions_pk', ['purpose', 'version'])
    .execute();
  // The database itself refuses a second active version of a key: with two, servers would write different keys to cards.
  await sql`create unique index key_versions_active on key_versions (purpose) where state = 'active'`.execute(
    db,
  );
  for (const column of ['version', 'other_version'] as const) {
    await db.schema.alterTable('card_keys').addColumn(column, 'integer').execute();
    await db.schema
      .createIndex(`card_keys_by_${column}`)
      .on('card_keys')
      .columns(['app', 'slot', column, 'card'])
      .execute();
  }
  await fillVersions(db);
}

/** Takes the versions out of the candidates, in rows that an older program wrote. */
export async function fillVersions(db: Queries): Promise<void> {
  const sqlite = !isPostgresql(db);
  const at = (place: 0 | 1) =>
    sqlite
      ? sql<number | null>`case when json_extract(candidates, ${sql.lit(`$[${place}].origin`)}) = 'issuer'
          then json_extract(candidates, ${sql.lit(`$[${place}].version`)}) end`
      : sql<number | null>`case when candidates::json -> ${sql.lit(place)} ->> 'origin' = 'issuer'
          then (candidates::json -> ${sql.lit(place)} ->> 'version')::integer end`;
  await db
    .updateTable('card_keys')
    .set({ version: at(0), other_version: at(1) })
    .execute();
}
