/** Whose doing it was that an app is enabled, where a look found it so and the record did not. */
import type { CardState } from '../issuer/card-state.ts';
import type { JobState } from '../issuer/state.ts';
import { findLatestJobs, findLatestShown, readState } from '../store/jobs.ts';
import type { Queries } from '../store/store.ts';

const RECENT_JOBS = 5;

/**
 * The last job but `not` in which the app's flag was written, or may have been, for each of `apps` that became enabled; null where none of the last
 * ones did. One in which the card had shown itself goes before those whose stations only say so: whoever names the card could else have the deed.
 */
export async function whoEnabled(
  db: Queries,
  card: string,
  apps: readonly string[],
  before: CardState,
  after: CardState,
  not?: string,
): Promise<(app: string) => string | null> {
  const found = apps.filter(
    (app) => after.apps[app]?.state === 'enabled' && before.apps[app]?.state !== 'enabled',
  );
  if (found.length === 0) return () => null;
  const shown = await findLatestShown(db, card, RECENT_JOBS);
  const jobs = [...shown, ...(await findLatestJobs(db, card, RECENT_JOBS))]
    .filter(({ id }) => id !== not)
    .map((row) => ({ id: row.id, state: readState(row) }));
  return (app) =>
    found.includes(app) ? (jobs.find(({ state }) => mayHaveEnabled(state, app))?.id ?? null) : null;
}

function mayHaveEnabled({ apps }: JobState, app: string): boolean {
  const one = apps[app];
  return one?.action === 'enable' && (one.flagInDoubt || (one.touched && one.after === 'enabled'));
}
