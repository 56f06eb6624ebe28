/** Jobs as the record tells them: labels and status words of every command, never data; and what went wrong in them. */
import { z } from 'zod';
import { type CardRecord, jobEndSchema } from '../../protocol/card-record.ts';
import { storedOutcomeSchema } from '../../protocol/stored-outcome.ts';
import { stepNameSchema } from '../../protocol/wire.ts';
import { confirmedBySchema } from '../issuer/state.ts';
import { type LateReport, listCommands, listLate } from '../store/commands.ts';
import { namesOf } from '../store/people.ts';
import type { Reads } from '../store/store.ts';
import type { JobCommandsTable, JobsTable } from '../store/tables.ts';

/** Of a job's state; the rest of it is nobody's to read. */
const confirmedSchema = z.object({ confirmedBy: confirmedBySchema });

function confirmedBy({ state }: JobsTable): Readonly<Record<string, string>> {
  return confirmedSchema.parse(JSON.parse(state)).confirmedBy;
}

type JobRecord = CardRecord['jobs'][number];
type Fault = CardRecord['faults'][number];

/** The jobs in the order they are given in. */
export async function readJobs(db: Reads, jobs: readonly JobsTable[]): Promise<JobRecord[]> {
  if (jobs.length === 0) return [];
  const ids = jobs.map(({ id }) => id);
  const commands = await listCommands(db, ids);
  const late = await listLate(db, ids);
  const people = jobs.flatMap((job) => [job.operator, ...Object.values(confirmedBy(job))]);
  const name = await namesOf(db, people);
  return jobs.map((job) =>
    recordOf(
      job,
      commands.filter((one) => one.job === job.id),
      late.filter((one) => one.job === job.id),
      name,
    ),
  );
}

function recordOf(
  job: JobsTable,
  commands: readonly JobCommandsTable[],
  late: readonly LateReport[],
  name: (operator: string) => string,
): JobRecord {
  const outcome = job.outcome === null ? undefined : storedOutcomeSchema.parse(JSON.parse(job.outcome));
  return {
    job: job.id,
    operator: job.operator,
    name: name(job.operator),
    confirmed: Object.entries(confirmedBy(job)).map(([app, operator]) => ({
      app,
      operator,
      name: name(operator),
    })),
    station: job.station,
    reader: job.reader,
    account: job.account,
    started: job.started,
    ended: job.ended,
    result: jobEndSchema.parse(job.result),
    error: outcome?.error ?? null,
    apps: outcome?.apps ?? [],
    deleted: outcome?.deleted ?? [],
    loads: commands.flatMap(({ app, load_file_hash, sw }) =>
      app === null || load_file_hash === null ? [] : [{ app, loadFileHash: load_file_hash, sw }],
    ),
    steps: commands.map(({ step, app, sw }) => ({ step: stepNameSchema.parse(step), app, sw })),
    late: late.map(({ seq, received, sws }) => ({ seq, received, sws: [...sws] })),
  };
}

/** Each app that did not come where it was to, the job itself where no app says why, and a card that was taken over. */
export function faultsOf(job: JobRecord): Fault[] {
  const at = job.ended ?? job.started;
  const fault = (app: string | null, code: Fault['code']): Fault => ({
    job: job.job,
    at,
    app,
    code,
    ...lastRefusal(job, app),
  });
  if (job.result === 'superseded') return [fault(null, 'job-superseded')];
  const ofApps = job.apps.flatMap(({ app, error }) => (error === undefined ? [] : [fault(app, error)]));
  const { error } = job;
  return error === null || ofApps.some(({ code }) => code === error)
    ? ofApps
    : [...ofApps, fault(null, error)];
}

/** The last command that the card did not take, or did not answer. */
function lastRefusal(job: JobRecord, app: string | null): Pick<Fault, 'step' | 'sw'> {
  const found = [...job.steps]
    .reverse()
    .find((one) => (app === null || one.app === app) && !/^(9000|unsent|lost|61..)$/.test(one.sw));
  return { step: found?.step ?? null, sw: found?.sw ?? null };
}
