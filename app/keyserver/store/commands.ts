/** Commands that jobs sent to cards, with what became of them: labels and status words, never data. */
import { z } from 'zod';
import type { StepName } from '../../protocol/wire.ts';
import { inParts } from './parts.ts';
import type { Queries, Reads } from './store.ts';
import type { JobCommandsTable, LateAnswersTable } from './tables.ts';

export async function insertCommands(db: Queries, rows: readonly JobCommandsTable[]): Promise<void> {
  for (const part of inParts(rows)) await db.insertInto('job_commands').values(part).execute();
}

/** Commands of jobs, in the order they were sent. */
export async function listCommands(db: Reads, jobs: readonly string[]): Promise<JobCommandsTable[]> {
  return db
    .selectFrom('job_commands')
    .selectAll()
    .where('job', 'in', jobs)
    .orderBy('job')
    .orderBy('seq')
    .orderBy('position')
    .execute();
}

/** The last batch of a job that has its commands on record; 0 for none. */
export async function lastAnswered(db: Reads, job: string): Promise<number> {
  const row = await db
    .selectFrom('job_commands')
    .select((max) => max.fn.max('seq').as('seq'))
    .where('job', '=', job)
    .executeTakeFirst();
  return row?.seq ?? 0;
}

/** Steps with one of these status words, in jobs of the card that began after the given one, each with its job's state. */
export async function commandsSince(
  db: Reads,
  card: string,
  job: { readonly id: string; readonly started: string },
  wanted: { readonly steps: readonly StepName[]; readonly sws: readonly string[] },
): Promise<{ step: string; app: string | null; state: string }[]> {
  return db
    .selectFrom('job_commands')
    .innerJoin('jobs', 'jobs.id', 'job_commands.job')
    .select(['job_commands.step as step', 'job_commands.app as app', 'jobs.state as state'])
    .where('jobs.card', '=', card)
    .where('jobs.id', '!=', job.id)
    .where('jobs.started', '>', job.started)
    .where('job_commands.step', 'in', wanted.steps)
    .where('job_commands.sw', 'in', wanted.sws)
    .execute();
}

/** What a station reported of a batch after another job had taken its card over. */
export interface LateReport {
  readonly job: string;
  readonly seq: number;
  readonly generation: number;
  readonly received: string;
  readonly sws: readonly string[];
}

/** The first late report of a batch is kept. */
export async function noteLate(db: Queries, report: LateReport): Promise<void> {
  const row: LateAnswersTable = { ...report, sws: JSON.stringify(report.sws) };
  await db
    .insertInto('late_answers')
    .values(row)
    .onConflict((conflict) => conflict.columns(['job', 'seq']).doNothing())
    .execute();
}

export async function listLate(db: Reads, jobs: readonly string[]): Promise<LateReport[]> {
  const rows = await db
    .selectFrom('late_answers')
    .selectAll()
    .where('job', 'in', jobs)
    .orderBy('seq')
    .execute();
  return rows.map((row) => ({ ...row, sws: z.array(z.string()).parse(JSON.parse(row.sws)) }));
}
