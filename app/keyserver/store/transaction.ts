/** One transaction of the job service, and what losing a race looks like on each database. */
import type { Transaction } from 'kysely';
import type { Store } from './store.ts';
import type { Database } from './tables.ts';

/** unique_violation, serialization_failure, deadlock_detected (PostgreSQL, appendix A). */
const LOST = new Set(['23505', '40001', '40P01', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY']);

/**
 * Runs `work` in one transaction; it begins with a write to the row that everybody concerned writes first.
 * @throws what `work` throws; what `lost` makes, when another transaction was there first
 */
export async function inTransaction<T>(
  store: Store,
  work: (db: Transaction<Database>) => Promise<T>,
  lost: () => Error,
): Promise<T> {
  try {
    return await store.transaction().execute(work);
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    throw typeof code === 'string' && LOST.has(code) ? lost() : error;
  }
}
