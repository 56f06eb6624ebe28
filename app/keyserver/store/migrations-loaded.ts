/** A package that stands on a card whole, without an instance, need not be loaded again. */
import type { Kysely } from 'kysely';
import type { Database } from './tables.ts';

/** Of packages of before nobody knows it: they are loaded again. */
export async function loadedWhole(db: Kysely<Database>): Promise<void> {
  await db.schema.alterTable('card_apps').addColumn('loaded', 'text').execute();
}
