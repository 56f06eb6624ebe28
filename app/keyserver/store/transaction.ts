/** Transactions: several writes as one, several reads of one moment, and what losing a race looks like on each database. */
import { PostgresAdapter } from 'kysely';
import type { Queries, Reads, Store } from './store.ts';

/** unique_violation, serialization_failure, deadlock_detected (PostgreSQL, appendix A). */
const LOST = new Set(['23505', '40001', '40P01', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY']);

/** What belongs together is written together, or not at all. */
export function together<T>(store: Store, work: (db: Queries) => Promise<T>): Promise<T> {
  return store.transaction().execute(work);
}

/**
 * Runs `work` in one transaction; it begins with a write to the row that everybody concerned writes first.
 * @throws what `work` throws; what `lost` makes, when another transaction was there first
 */
export async function inTransaction<T>(
  store: Store,
  work: (db: Queries) => Promise<T>,
  lost: () => Error,
): Promise<T> {
  try {
    return await together(store, work);
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    throw typeof code === 'string' && LOST.has(code) ? lost() : error;
  }
}

/**
 * Several reads that are true of one moment. On PostgreSQL each statement of an ordinary transaction sees what was committed before it
 * (13.2.1), so that a card's job and its keys could be of two different moments; REPEATABLE READ has one snapshot for all of them. SQLite's
 * transactions have one anyway.
 */
export function atOneMoment<T>(store: Store, read: (db: Reads) => Promise<T>): Promise<T> {
  const begin = store.transaction();
  return (
    isPostgresql(store) ? begin.setIsolationLevel('repeatable read').setAccessMode('read only') : begin
  ).execute(read);
}

export function isPostgresql(db: Queries): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}
