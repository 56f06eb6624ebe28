/** What somebody has to answer for, one row each. */
import { randomUUID } from 'node:crypto';
import { insertAudit } from '../store/audit.ts';
import type { Queries } from '../store/store.ts';

export interface AuditEntry {
  readonly kind:
    | 'limit'
    | 'release'
    | 'restore'
    | 'receipt'
    | 'key-make'
    | 'key-adopt'
    | 'key-activate'
    | 'key-retire';
  readonly station?: string;
  readonly operator?: string;
  readonly card?: string;
  readonly job?: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export async function writeAudit(db: Queries, entry: AuditEntry, now: Date): Promise<void> {
  await insertAudit(db, {
    id: randomUUID(),
    at: now.toISOString(),
    kind: entry.kind,
    station: entry.station ?? null,
    operator: entry.operator ?? null,
    card: entry.card ?? null,
    job: entry.job ?? null,
    detail: JSON.stringify(entry.detail),
  });
}
