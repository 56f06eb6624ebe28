/** Finding cards among millions of jobs, what the record says beyond jobs, and telling the times before and after a restored backup apart. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './tables.ts';

export async function records(db: Kysely<Database>): Promise<void> {
  // Each ends in (started, id): the order in which a search goes through them, page by page (records/search.ts).
  for (const [name, columns] of [
    ['jobs_by_time', ['started', 'id']],
    ['jobs_by_operator', ['operator', 'started', 'id']],
    ['jobs_by_account', ['account', 'started', 'id']],
    ['jobs_of_card', ['card', 'started', 'id']],
  ] as const) {
    await db.schema
      .createIndex(name)
      .on('jobs')
      .columns([...columns])
      .execute();
  }
  // jobs_of_card does what it did.
  await db.schema.dropIndex('jobs_by_card').execute();
  await db.schema.alterTable('job_steps').addColumn('receipt', 'text').execute();
  await db.schema
    .createIndex('job_steps_receipts')
    .on('job_steps')
    .column('created')
    .where(sql<boolean>`receipt is not null`)
    .execute();
  await db.schema.alterTable('card_apps').addColumn('issued_in', 'text').execute();
  await db.schema.alterTable('job_commands').addColumn('load_file_hash', 'text').execute();
  await db.schema
    .alterTable('cards')
    .addColumn('store_generation', 'text', (c) => c.notNull().defaultTo('1'))
    .execute();
}
