/** Jobs, their steps and leases in the store. Every function works inside the caller's transaction. */
import { type JobState, jobStateSchema } from '../issuer/state.ts';
import type { Queries } from '../store/cards.ts';
import type { JobStepsTable, JobsTable, LeasesTable } from '../store/tables.ts';

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

export async function holdLease(db: Queries, lease: LeasesTable): Promise<void> {
  const { card: _card, ...values } = lease;
  await db
    .insertInto('leases')
    .values(lease)
    .onConflict((conflict) => conflict.column('card').doUpdateSet(values))
    .execute();
}

/** Ends whatever lease there is on the card. */
export async function releaseCard(db: Queries, card: string): Promise<void> {
  await db.deleteFrom('leases').where('card', '=', card).execute();
}

export async function endLease(db: Queries, card: string, job: string): Promise<void> {
  await db.deleteFrom('leases').where('card', '=', card).where('job', '=', job).execute();
}
