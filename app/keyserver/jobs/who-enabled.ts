/** Whose doing it was that an app is enabled, where a look found it so and the record did not. */
import type { CardState } from '../issuer/card-state.ts';
import { findLatestJobs, readState } from '../store/jobs.ts';
import type { Queries } from '../store/store.ts';

const RECENT_JOBS = 5;

/** The last job but `not` that set out to enable it, for each of `apps` that became enabled; null where none of the last ones did. */
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
  const jobs = found.length === 0 ? [] : await findLatestJobs(db, card, RECENT_JOBS);
  const other = jobs.filter(({ id }) => id !== not);
  return (app) =>
    found.includes(app)
      ? (other.find((job) => readState(job).apps[app]?.action === 'enable')?.id ?? null)
      : null;
}
