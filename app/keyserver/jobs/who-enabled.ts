/** Whose doing it is that an app is enabled, as the record is to have it. */
import type { CardAppState, CardState } from '../issuer/card-state.ts';
import type { JobState } from '../issuer/state.ts';
import { findLatestJobs, findLatestShown, readState } from '../store/jobs.ts';
import type { Queries } from '../store/store.ts';
import type { JobsTable } from '../store/tables.ts';

const RECENT_JOBS = 5;

/** What a step made of the card, and in which job. */
interface Done {
  readonly card: string;
  readonly before: CardState;
  readonly after: CardState;
  readonly id: string;
  readonly job: JobState;
  /** The card has shown itself to the job, or is of a type that cannot. */
  readonly shown: boolean;
}

/**
 * The job by which each app is enabled, asked of those that are, or were before a station said otherwise; undefined where the record's stays. What a
 * station only said is its own job's doing as long as the app is in doubt; once the card has shown itself it is that of the job that did it.
 */
export async function whoEnabled(
  db: Queries,
  done: Done,
): Promise<(app: string) => string | null | undefined> {
  const seen = Object.keys(done.after.apps).filter((app) => isFound(done, app));
  const read = (rows: readonly JobsTable[]) =>
    rows
      .filter(({ id }) => id !== done.id)
      .map(({ id, station, state }) => ({ id, station, state: readState({ state }) }));
  const shown = seen.length === 0 ? [] : read(await findLatestShown(db, done.card, RECENT_JOBS));
  const jobs = seen.length === 0 ? [] : read(await findLatestJobs(db, done.card, RECENT_JOBS));
  return (app) => {
    if (done.shown && isOwnDeed(done.job, app)) return done.id;
    if (wasEnabled(done.before.apps[app])) return undefined;
    if (seen.includes(app)) {
      const may = ({ state }: { readonly state: JobState }) => mayHaveEnabled(state, app);
      return shown.find(may)?.id ?? oneOf(jobs.filter(may));
    }
    // It said so before, and says so again.
    return done.before.apps[app]?.state === 'enabled' ? undefined : done.id;
  };
}

/** This job's commands enabled it: it was not before. */
function isOwnDeed({ apps }: JobState, app: string): boolean {
  const own = apps[app];
  return own?.action === 'enable' && own.before !== 'enabled' && own.after === 'enabled' && own.touched;
}

/** The last of its commands was sent. */
function mayHaveEnabled({ apps }: JobState, app: string): boolean {
  const own = apps[app];
  return own?.action === 'enable' && (own.flagInDoubt || (own.touched && own.after === 'enabled'));
}

/** Apart from what a station only said. */
function wasEnabled(known: CardAppState | undefined): boolean {
  return (known?.kept ?? known)?.state === 'enabled';
}

/** Found enabled by the look, and believed now: not this job's doing. */
function isFound({ before, after, job }: Done, app: string): boolean {
  const is = after.apps[app];
  const own = job.apps[app]?.touched === true;
  return !own && job.seen[app] === 'enabled' && wasEnabled(is) && !wasEnabled(before.apps[app]);
}

/**
 * The newest of jobs in which the card did not show itself. Nobody knows which it was where several stations had one: a station can begin a job on a card
 * that it does not have.
 */
function oneOf(jobs: readonly { readonly id: string; readonly station: string }[]): string | null {
  const [newest, ...older] = jobs;
  return newest === undefined || older.some(({ station }) => station !== newest.station) ? null : newest.id;
}
