/** What the record of an app rests on, and which tries a card itself has told. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './tables.ts';

/**
 * Rows of before say nothing of their ground: they count as a station's word. Nobody knows any more which of their tries the card told, so all of them
 * count as told: none is given back without a second person.
 */
export async function ground(db: Kysely<Database>): Promise<void> {
  await db.schema.alterTable('card_apps').addColumn('kept', 'text').execute();
  await db.schema.alterTable('card_apps').addColumn('ground', 'text').execute();
  await db.schema
    .createIndex('card_apps_kept')
    .on('card_apps')
    .column('app')
    .where(sql<boolean>`kept is not null`)
    .execute();
  for (const column of ['told', 'granted'] as const)
    await db.schema
      .alterTable('card_keys')
      .addColumn(column, 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
  await db
    .updateTable('card_keys')
    .set((set) => ({ told: set.ref('spent') }))
    .where('spent', '>', 0)
    .execute();
}

/** Rows of before tell what their ground is, and nobody knows any more of which job. */
export async function groundSince(db: Kysely<Database>): Promise<void> {
  for (const column of ['ground_job', 'ground_at'] as const)
    await db.schema.alterTable('card_apps').addColumn(column, 'text').execute();
}

type Row = Readonly<Record<string, string | number | null>>;

/** A row of `card_keys` out of a backup of any version, with what this migration did to the rows of before. */
export function withTold(row: Row): Row {
  return row['told'] === undefined ? { ...row, told: row['spent'] ?? 0 } : row;
}
