/** The audit log's rows. Only ever added, and asked for what people have decided. */
import type { Queries, Reads } from './store.ts';
import type { AuditTable } from './tables.ts';

export async function insertAudit(db: Queries, row: AuditTable): Promise<void> {
  await db.insertInto('audit').values(row).execute();
}

/** Whether an entry of one of these kinds was made about the card since `at` (ISO 8601). */
export async function isOnRecord(
  db: Reads,
  card: string,
  kinds: readonly string[],
  at: string,
): Promise<boolean> {
  const row = await db
    .selectFrom('audit')
    .select('id')
    .where('at', '>=', at)
    .where('card', '=', card)
    .where('kind', 'in', kinds)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
