/** The audit log's rows. Only ever added. */
import type { Queries } from './store.ts';
import type { AuditTable } from './tables.ts';

export async function insertAudit(db: Queries, row: AuditTable): Promise<void> {
  await db.insertInto('audit').values(row).execute();
}
