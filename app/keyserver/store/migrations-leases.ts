/** How many cards a station has in hand is asked whenever it begins a job; leases of cards that never came back stay in the table. */
import type { Kysely } from 'kysely';
import type { Database } from './tables.ts';

export async function leasesByStation(db: Kysely<Database>): Promise<void> {
  await db.schema.createIndex('leases_by_station').on('leases').columns(['station', 'expires']).execute();
}

/** Those of before were renewed whatever a station told: they count as shown. */
export async function leasesShown(db: Kysely<Database>): Promise<void> {
  await db.schema
    .alterTable('leases')
    .addColumn('shown', 'integer', (c) => c.notNull().defaultTo(1))
    .execute();
}
