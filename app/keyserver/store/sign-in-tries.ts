/** Wrong secrets of somebody at a place, one after the other, and until when nothing is tried there. */
import type { Queries } from './store.ts';
import type { SignInTriesTable } from './tables.ts';

/** The row of a subject, made where there is none, and held until the transaction ends: whoever else tries waits for it. */
export async function holdTries(db: Queries, subject: string, now: string): Promise<SignInTriesTable> {
  return db
    .insertInto('sign_in_tries')
    .values({ subject, failed: 0, last: now, until: now })
    .onConflict((conflict) =>
      conflict.column('subject').doUpdateSet((set) => ({ subject: set.ref('excluded.subject') })),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function writeTries(db: Queries, { subject, ...tries }: SignInTriesTable): Promise<void> {
  await db.updateTable('sign_in_tries').set(tries).where('subject', '=', subject).execute();
}

export async function dropTries(db: Queries, subject: string): Promise<void> {
  await db.deleteFrom('sign_in_tries').where('subject', '=', subject).execute();
}

/** Those of every subject that ends so. */
export async function dropTriesEnding(db: Queries, end: string): Promise<void> {
  await db.deleteFrom('sign_in_tries').where('subject', 'like', `%${end}`).execute();
}

/** Those whose last one was before `time` (ISO 8601). */
export async function dropOldTries(db: Queries, time: string): Promise<void> {
  await db.deleteFrom('sign_in_tries').where('last', '<', time).execute();
}
