/** The store's generation: how often it was restored, in a manner of speaking. Stations that see it rise send what they keep. */
import type { Transaction } from 'kysely';
import { z } from 'zod';
import { writeAudit } from '../audit/entries.ts';
import type { Store } from './store.ts';
import type { Database } from './tables.ts';

const GENERATION = 'store-generation';

/** Generation of the store: 1 until it was restored. */
export async function readStoreGeneration(db: Store | Transaction<Database>): Promise<number> {
  const row = await db.selectFrom('meta').select('value').where('key', '=', GENERATION).executeTakeFirst();
  return row === undefined ? 1 : z.coerce.number().int().parse(row.value);
}

/** After a restore: seconds since 1970 at least, so that it also rises when the same backup is restored twice. */
export async function raiseGeneration(db: Transaction<Database>, file: string, now: Date): Promise<number> {
  const generation = Math.max((await readStoreGeneration(db)) + 1, Math.floor(now.getTime() / 1000));
  const value = String(generation);
  await db
    .insertInto('meta')
    .values({ key: GENERATION, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
  const name = file.split(/[\\/]/).at(-1) ?? '';
  await writeAudit(db, { kind: 'restore', detail: { generation, file: name } }, now);
  return generation;
}
