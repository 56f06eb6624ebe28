/** What a job's state means for the screens: in hand or over, and how it ended. Pure. */
import type { FaultView, JobView, ResultView, StationView } from '../../electron/ipc-schema.ts';

export type End =
  | { readonly kind: 'done'; readonly result: ResultView }
  | { readonly kind: 'failed'; readonly fault: FaultView }
  | { readonly kind: 'abandoned' };

/** How a job ended; undefined while it is in hand. */
export function endOf(job: JobView): End | undefined {
  switch (job.state.kind) {
    case 'done':
      return { kind: 'done', result: job.state.result };
    case 'failed':
      return { kind: 'failed', fault: job.state.fault };
    case 'abandoned':
      return { kind: 'abandoned' };
    case 'working':
    case 'waiting-for-card':
    case 'waiting-for-server':
    case 'waiting-for-disk':
      return undefined;
  }
}

export function inHand(job: JobView): boolean {
  return endOf(job) === undefined;
}

/** Nobody is signed in, or a job is held up because the session is over. */
export function needsSignIn({ operator, jobs }: Pick<StationView, 'operator' | 'jobs'>): boolean {
  if (operator === null) return true;
  return jobs.some(({ state }) => state.kind === 'waiting-for-server' && state.code === 'session-expired');
}

/** Whether everything asked for was done. */
export function wentWell(end: End): boolean {
  return end.kind === 'done' && end.result.result === 'complete';
}

/** Ids of jobs that were in hand before and are over now, and whether they went well: the moment for a sound. */
export function newlyEnded(
  before: readonly JobView[],
  after: readonly JobView[],
): { id: string; well: boolean }[] {
  return after.flatMap((job) => {
    const end = endOf(job);
    const was = before.find((one) => one.id === job.id);
    if (end === undefined || end.kind === 'abandoned' || was === undefined || !inHand(was)) return [];
    return [{ id: job.id, well: wentWell(end) }];
  });
}
