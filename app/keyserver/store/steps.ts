/** Steps of jobs: each reply as it went out, sealed, until the next step is answered. */
import type { Queries } from './store.ts';
import type { JobStepsTable } from './tables.ts';

export async function findStep(db: Queries, job: string, seq: number): Promise<JobStepsTable | undefined> {
  return db
    .selectFrom('job_steps')
    .selectAll()
    .where('job', '=', job)
    .where('seq', '=', seq)
    .executeTakeFirst();
}

/** Writes a step; the replies before it are never asked for again, and go. */
export async function writeStep(db: Queries, step: JobStepsTable): Promise<void> {
  await db.insertInto('job_steps').values(step).execute();
  await db
    .updateTable('job_steps')
    .set({ sealed: null })
    .where('job', '=', step.job)
    .where('seq', '<', step.seq)
    .execute();
}

const RECEIPT_DAYS = 7;

/** Drops receipts of jobs that ended days ago: the stations have them, and ask for an end again within minutes or never. */
export async function dropOldReceipts(db: Queries, now: Date): Promise<void> {
  const before = new Date(now.getTime() - RECEIPT_DAYS * 24 * 3600 * 1000).toISOString();
  await db
    .updateTable('job_steps')
    .set({ receipt: null })
    .where('receipt', 'is not', null)
    .where('created', '<', before)
    .execute();
}
