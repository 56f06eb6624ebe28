/** Jobs, their steps and leases in the store. Every function works inside the caller's transaction. */
import { type JobState, jobStateSchema } from '../issuer/state.ts';
import type { Queries } from './cards.ts';
import type { JobCommandsTable, JobStepsTable, JobsTable, LeasesTable } from './tables.ts';

export async function findJob(db: Queries, id: string): Promise<JobsTable | undefined> {
  return db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function findJobByRequest(db: Queries, requestId: string): Promise<JobsTable | undefined> {
  return db.selectFrom('jobs').selectAll().where('request_id', '=', requestId).executeTakeFirst();
}

/** The card's newest jobs, newest first. */
export async function findLatestJobs(db: Queries, card: string, count: number): Promise<JobsTable[]> {
  return db
    .selectFrom('jobs')
    .selectAll()
    .where('card', '=', card)
    .orderBy('started', 'desc')
    .orderBy('id', 'desc')
    .limit(count)
    .execute();
}

export async function findStep(db: Queries, job: string, seq: number): Promise<JobStepsTable | undefined> {
  return db
    .selectFrom('job_steps')
    .selectAll()
    .where('job', '=', job)
    .where('seq', '=', seq)
    .executeTakeFirst();
}

export async function findLease(db: Queries, card: string): Promise<LeasesTable | undefined> {
  return db.selectFrom('leases').selectAll().where('card', '=', card).executeTakeFirst();
}

/** The state as the store keeps it, checked when it is read. */
export function readState(row: JobsTable): JobState {
  return jobStateSchema.parse(JSON.parse(row.state));
}

/** The card that belongs to an account, by the 8 bytes D of its keys. */
export async function findCardOfAccount(db: Queries, factor: string): Promise<string | undefined> {
  const card = await db
    .selectFrom('cards')
    .select('id')
    .where('account_factor', '=', factor)
    .executeTakeFirst();
  return card?.id;
}

/**
 * Ends every running job on the card: another one takes over, and their answers come too late from now on. Their batches never go out
 * again, so what was sealed of them goes.
 */
export async function supersedeOpenJobs(db: Queries, card: string, now: string): Promise<void> {
  const running = db.selectFrom('jobs').select('id').where('card', '=', card).where('ended', 'is', null);
  await db.updateTable('job_steps').set({ sealed: null }).where('job', 'in', running).execute();
  await db
    .updateTable('jobs')
    .set({ ended: now, result: 'superseded' })
    .where('card', '=', card)
    .where('ended', 'is', null)
    .execute();
}

export async function writeStep(db: Queries, step: JobStepsTable): Promise<void> {
  await db.insertInto('job_steps').values(step).execute();
  await db
    .updateTable('job_steps')
    .set({ sealed: null })
    .where('job', '=', step.job)
    .where('seq', '<', step.seq)
    .execute();
}

export async function insertCommands(db: Queries, rows: readonly JobCommandsTable[]): Promise<void> {
  // SQLite takes a bounded number of values in one statement.
  for (let at = 0; at < rows.length; at += 100) {
    await db
      .insertInto('job_commands')
      .values(rows.slice(at, at + 100))
      .execute();
  }
}

export async function holdLease(db: Queries, lease: LeasesTable): Promise<void> {
  const { card: _card, ...values } = lease;
  await db
    .insertInto('leases')
    .values(lease)
    .onConflict((conflict) => conflict.column('card').doUpdateSet(values))
    .execute();
}

/** Receipts of ends that nobody asks for again: the stations have them. */
export async function dropOldReceipts(db: Queries, now: Date): Promise<void> {
  const before = new Date(now.getTime() - RECEIPT_DAYS * 24 * 3600 * 1000).toISOString();
  await db
    .updateTable('job_steps')
    .set({ receipt: null })
    .where('receipt', 'is not', null)
    .where('created', '<', before)
    .execute();
}

const RECEIPT_DAYS = 7;

/** Ends whatever lease there is on the card. */
export async function releaseCard(db: Queries, card: string): Promise<void> {
  await db.deleteFrom('leases').where('card', '=', card).execute();
}

export async function endLease(db: Queries, card: string, job: string): Promise<void> {
  await db.deleteFrom('leases').where('card', '=', card).where('job', '=', job).execute();
}
