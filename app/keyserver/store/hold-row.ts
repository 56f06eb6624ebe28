/** A row that everybody of a kind writes first in their transaction, and so waits for the one before. */
import type { Queries } from './store.ts';

export async function holdRow(db: Queries, key: string, now: Date): Promise<void> {
  const value = now.toISOString();
  await db
    .insertInto('meta')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
}
