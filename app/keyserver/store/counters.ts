/** Counting in the store, so that all instances count together. */
import type { Queries } from './store.ts';

/** What is counted: `scope` names the rule, `subject` the card, station or operator. */
export interface Counted {
  readonly scope: string;
  readonly subject: string;
  readonly period: string;
}

/** Beginning of the ISO time that names the period `now` lies in. */
export function periodOf(now: Date, length: 'day' | 'hour' | 'quarter'): string {
  const text = now.toISOString();
  if (length === 'day') return text.slice(0, 10);
  if (length === 'hour') return text.slice(0, 13);
  const quarter = Math.floor(now.getUTCMinutes() / 15) * 15;
  return `${text.slice(0, 14)}${String(quarter).padStart(2, '0')}`;
}

export async function readCount(db: Queries, counted: Counted): Promise<number> {
  const row = await db
    .selectFrom('counters')
    .select('count')
    .where('scope', '=', counted.scope)
    .where('subject', '=', counted.subject)
    .where('period', '=', counted.period)
    .executeTakeFirst();
  return row?.count ?? 0;
}

/** Adds `by`; gives the count afterwards. */
export async function addCount(db: Queries, counted: Counted, by = 1): Promise<number> {
  const row = await db
    .insertInto('counters')
    .values({ ...counted, count: by })
    .onConflict((conflict) =>
      conflict
        .columns(['scope', 'subject', 'period'])
        .doUpdateSet((set) => ({ count: set('counters.count', '+', set.ref('excluded.count')) })),
    )
    .returning('count')
    .executeTakeFirstOrThrow();
  return row.count;
}

export async function clearCount(db: Queries, counted: Counted): Promise<void> {
  await db
    .deleteFrom('counters')
    .where('scope', '=', counted.scope)
    .where('subject', '=', counted.subject)
    .where('period', '=', counted.period)
    .execute();
}

/** Drops counts of periods that began more than a day ago. ISO times compared as text compare as times. */
export async function dropOldCounts(db: Queries, now: Date): Promise<void> {
  const yesterday = new Date(now.getTime() - 24 * 3600 * 1000);
  await db.deleteFrom('counters').where('period', '<', periodOf(yesterday, 'day')).execute();
}
