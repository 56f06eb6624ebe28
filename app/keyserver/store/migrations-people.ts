/** Whose branch somebody is, and that a secret which somebody else made is to be changed; and certificates that stay known when they are revoked. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './tables.ts';

/** People and stations of before are of no branch, and their secrets their own. */
export async function branches(db: Kysely<Database>): Promise<void> {
  await db.schema.alterTable('operators').addColumn('branch', 'text').execute();
  await db.schema.alterTable('operators').addColumn('secret_until', 'text').execute();
  await db.schema
    .createTable('sign_in_tries')
    .addColumn('subject', 'text', (c) => c.primaryKey())
    .addColumn('failed', 'integer', (c) => c.notNull())
    .addColumn('last', 'text', (c) => c.notNull())
    .addColumn('until', 'text', (c) => c.notNull())
    .execute();
  // A name stood there once; a certificate that was revoked has to stay when the station gets another one. SQLite can only make such a table anew.
  await db.schema
    .createTable('stations_next')
    .addColumn('fingerprint', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('revoked', 'integer', (c) => c.notNull())
    .addColumn('branch', 'text')
    .execute();
  await sql`insert into stations_next (fingerprint, name, revoked) select fingerprint, name, revoked from stations`.execute(
    db,
  );
  await db.schema.dropTable('stations').execute();
  await db.schema.alterTable('stations_next').renameTo('stations').execute();
  await db.schema
    .createIndex('stations_in_use')
    .unique()
    .on('stations')
    .column('name')
    .where(sql<boolean>`revoked = 0`)
    .execute();
}
