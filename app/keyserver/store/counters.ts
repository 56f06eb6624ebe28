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
  return (await readCounts(db, [counted]))[0] ?? 0;
}

/** Counts of several at once, in their order. */
export async function readCounts(db: Queries, counted: readonly Counted[]): Promise<number[]> {
  if (counted.length === 0) return [];
  const rows = await db
    .selectFrom('counters')
    .select(['scope', 'subject', 'period', 'count'])
    .where((is) =>
      is.or(
        counted.map(({ scope, subject, period }) =>
          is.and([is('scope', '=', scope), is('subject', '=', subject), is('period', '=', period)]),
        ),
      ),
    )
    .execute();
  return counted.map((one) => rows.find((row) => isSame(row, one))?.count ?? 0);
}

/**
 * Adds `by` to each, in one statement, and gives the counts afterwards in their order. Rows are locked in that order: everybody who counts
 * the same ones has to name them in the same order, or two could wait for each other.
 */
export async function addCounts(
  db: Queries,
  counted: readonly (Counted & { readonly by: number })[],
): Promise<number[]> {
  if (counted.length === 0) return [];
  const rows = await db
    .insertInto('counters')
    .values(counted.map(({ scope, subject, period, by }) => ({ scope, subject, period, count: by })))
    .onConflict((conflict) =>
      conflict
        .columns(['scope', 'subject', 'period'])
        .doUpdateSet((set) => ({ count: set('counters.count', '+', set.ref('excluded.count')) })),
    )
    .returning(['scope', 'subject', 'period', 'count'])
    .execute();
  return counted.map((one) => rows.find((row) => isSame(row, one))?.count ?? 0);
}

function isSame(one: Counted, other: Counted): boolean {
  return one.scope === other.scope && one.subject === other.subject && one.period === other.period;
}

/** Adds `by`; gives the count afterwards. */
export async function addCount(db: Queries, counted: Counted, by = 1): Promise<number> {
  return (await addCounts(db, [{ ...counted, by }]))[0] ?? 0;
}

/**
 * Adds one unless `most` is reached already; gives the count afterwards, undefined when nothing was added. Asking and adding is one
 * statement: of any number of requests that come at once, here or on other instances, no more than `most` are let through.
 */
export async function takeCount(db: Queries, counted: Counted, most: number): Promise<number | undefined> {
  const row = await db
    .insertInto('counters')
    .values({ ...counted, count: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['scope', 'subject', 'period'])
        .doUpdateSet((set) => ({ count: set('counters.count', '+', 1) }))
        .where('counters.count', '<', most),
    )
    .returning('count')
    .executeTakeFirst();
  return row?.count;
}

/** Takes back one that `takeCount` added. */
export async function giveCountBack(db: Queries, counted: Counted): Promise<void> {
  await db
    .updateTable('counters')
    .set((set) => ({ count: set('count', '-', 1) }))
    .where('scope', '=', counted.scope)
    .where('subject', '=', counted.subject)
    .where('period', '=', counted.period)
    .where('count', '>', 0)
    .execute();
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
