/** Tables for limits and for what a supervisor did. */
import type { Kysely } from 'kysely';
import type { Database } from './tables.ts';

export async function operation(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable('counters')
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('period', 'text', (c) => c.notNull())
    .addColumn('count', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('counters_pk', ['scope', 'subject', 'period'])
    .execute();
  await db.schema
    .createTable('audit')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('station', 'text')
    .addColumn('operator', 'text')
    .addColumn('card', 'text')
    .addColumn('job', 'text')
    .addColumn('detail', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('audit_by_time').on('audit').columns(['at']).execute();
  await db.schema.createIndex('jobs_open').on('jobs').columns(['card', 'ended']).execute();
}
