/** Jobs: one row each, from the request to the outcome. */
import { sql } from 'kysely';
import type { Outcome } from '../../protocol/wire.ts';
import { type JobState, jobStateSchema } from '../issuer/state.ts';
import type { Queries, Reads } from './store.ts';
import type { JobsTable } from './tables.ts';
import { isPostgresql } from './transaction.ts';

export async function findJob(db: Reads, id: string): Promise<JobsTable | undefined> {
  return db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function findJobByRequest(db: Reads, requestId: string): Promise<JobsTable | undefined> {
  return db.selectFrom('jobs').selectAll().where('request_id', '=', requestId).executeTakeFirst();
}

/** The card's newest jobs, newest first; behind a place in that order where one is given. */
export async function findLatestJobs(
  db: Reads,
  card: string,
  count: number,
  behind?: { readonly started: string; readonly job: string },
): Promise<JobsTable[]> {
  const jobs = db.selectFrom('jobs').selectAll().where('card', '=', card);
  const older =
    behind === undefined
      ? jobs
      : jobs.where(sql<boolean>`(started, id) < (${behind.started}, ${behind.job})`);
  return older.orderBy('started', 'desc').orderBy('id', 'desc').limit(count).execute();
}

/** The card's newest jobs in which it has shown itself, newest first. Asked of few cards: their jobs are read one by one. */
export async function findLatestShown(db: Reads, card: string, count: number): Promise<JobsTable[]> {
  return db
    .selectFrom('jobs')
    .selectAll()
    .where('card', '=', card)
    .where('state', 'like', '%"held":true%')
    .orderBy('started', 'desc')
    .orderBy('id', 'desc')
    .limit(count)
    .execute();
}

/** The state as the store keeps it, checked when it is read. */
export function readState(row: Pick<JobsTable, 'state'>): JobState {
  return jobStateSchema.parse(JSON.parse(row.state));
}

/** States of all jobs that have not ended. */
export async function runningJobs(db: Reads): Promise<JobState[]> {
  const rows = await db.selectFrom('jobs').select('state').where('ended', 'is', null).execute();
  return rows.map(readState);
}

/** Where a job stands after a step. Ended: with an outcome, or taken over by another job on its card. */
interface JobStanding {
  /** The batch that is out; with an end the last one that was. */
  readonly seq: number;
  readonly state: JobState;
  readonly ended: string | null;
  readonly outcome: Outcome | null;
}

function columnsOf({ seq, state, ended, outcome }: JobStanding) {
  return {
    seq,
    state: JSON.stringify(state),
    ended,
    result: outcome?.result ?? (ended === null ? null : 'superseded'),
    outcome: outcome === null ? null : JSON.stringify(outcome),
  };
}

type JobFacts = Omit<JobsTable, 'seq' | 'state' | 'ended' | 'result' | 'outcome'>;

export async function insertJob(db: Queries, facts: JobFacts, standing: JobStanding): Promise<void> {
  await db
    .insertInto('jobs')
    .values({ ...facts, ...columnsOf(standing) })
    .execute();
}

/** Moves a running job on from batch `from`. Gives false when it has gone on, or ended, meanwhile. */
export async function moveJob(db: Queries, id: string, from: number, to: JobStanding): Promise<boolean> {
  const moved = await db
    .updateTable('jobs')
    .set(columnsOf(to))
    .where('id', '=', id)
    .where('seq', '=', from)
    .where('ended', 'is', null)
    .executeTakeFirst();
  return moved.numUpdatedRows === 1n;
}

/** Writes where a job stands over whatever the row says. For receipts that tell more of the job than the row does, after a restore. */
export async function overwriteJob(db: Queries, id: string, standing: JobStanding): Promise<void> {
  await db.updateTable('jobs').set(columnsOf(standing)).where('id', '=', id).execute();
}

/**
 * Ends every running job on the card as superseded, because another job takes the card over; answers to the ended jobs are refused from now
 * on. Their sealed batches are deleted: one sent out again would change the card behind the new job's back.
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

/** Ends every running job as superseded: their cards may have gone on since the backup they come from. */
export async function endAllJobs(db: Queries, now: string): Promise<void> {
  await db.updateTable('jobs').set({ ended: now, result: 'superseded' }).where('ended', 'is', null).execute();
}

/**
 * Keeps jobs still until this transaction is over: it waits for steps that are being committed, and later ones wait for it, so that no job
 * begins or ends meanwhile. On SQLite there is one writer at a time anyway. (PostgreSQL 13.3.1: SHARE ROW EXCLUSIVE conflicts with ROW EXCLUSIVE, which every step takes.)
 */
export async function keepJobsOut(db: Queries): Promise<void> {
  if (isPostgresql(db)) await sql`lock table jobs in share row exclusive mode`.execute(db);
}
