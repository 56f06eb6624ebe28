/** What is asked of the store as a whole: whether it answers, and how much is in it. */
import { sql } from 'kysely';
import type { Store } from './store.ts';

/** @throws the database's error when it does not answer */
export async function askStore(store: Store): Promise<void> {
  await sql`select 1`.execute(store);
}

const COUNTED = ['cards', 'jobs', 'operators', 'stations'] as const;

/** Rows of the tables that an administrator knows by name. */
export async function countRows(store: Store): Promise<{ readonly table: string; readonly rows: number }[]> {
  const counted = [];
  for (const table of COUNTED) {
    const { count } = await store
      .selectFrom(table)
      .select((select) => select.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    counted.push({ table, rows: count });
  }
  return counted;
}
