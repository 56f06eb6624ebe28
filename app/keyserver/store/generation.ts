/** The store's generation: it rises whenever a backup is restored. Stations that see it rise send what they keep. */
import { z } from 'zod';
import type { Queries } from './store.ts';

const GENERATION = 'store-generation';

/** Generation of the store: 1 until a backup was restored into it. */
export async function readStoreGeneration(db: Queries): Promise<number> {
  const row = await db.selectFrom('meta').select('value').where('key', '=', GENERATION).executeTakeFirst();
  return row === undefined ? 1 : z.coerce.number().int().parse(row.value);
}

/** After a restore: seconds since 1970 at least, so that it also rises when the same backup is restored twice. */
export async function raiseStoreGeneration(db: Queries, now: Date): Promise<number> {
  const generation = Math.max((await readStoreGeneration(db)) + 1, Math.floor(now.getTime() / 1000));
  const value = String(generation);
  await db
    .insertInto('meta')
    .values({ key: GENERATION, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
  return generation;
}

/** When the store with this generation was restored, or before (ISO 8601). */
export function restoredAt(generation: number): string {
  return new Date(generation * 1000).toISOString();
}
