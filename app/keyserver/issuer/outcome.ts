/** How a job ended, in the words of the wire. Pure. */

import { issuerVersions, noVersions } from '../../dialects/keys.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import { setAsideDetails } from '../../protocol/set-aside.ts';
import type { AppOutcome, KeyVersions, Outcome } from '../../protocol/wire.ts';
import type { CardState } from './card-state.ts';
import type { AppProgress, JobState } from './state.ts';

/** `complete`: every wish is fulfilled. `refused`: this job changed nothing on the card. `partial`: the rest. */
export function outcomeOf(job: JobState, card: CardState): Outcome {
  const apps = Object.entries(job.apps);
  const enabled = apps
    // What nobody asked for is told where something came of it.
    .filter(
      ([, one]) => one.action === 'enable' || (one.action === 'renew' && (one.touched || one.error !== null)),
    )
    .map(([app, one]) => told(app, one, card, issuerVersions(card.apps[app]?.keys ?? null)));
  const undeleted = apps
    .filter(([, one]) => one.action === 'delete' && (one.after !== 'missing' || one.error !== null))
    .map(([app, one]) => told(app, one, card, noVersions(card.apps[app]?.keys ?? null)));
  const deleted = apps
    .filter(([, one]) => one.action === 'delete' && one.before !== 'missing' && one.after === 'missing')
    .map(([app]) => app);
  const wished =
    job.error === null &&
    job.setAside === null &&
    apps
      .filter(([, one]) => one.action !== 'renew')
      .every(
        ([, one]) =>
          one.after === (one.action === 'enable' ? 'enabled' : 'missing') &&
          one.error === null &&
          !one.contentInDoubt,
      );
  const changed = job.domainTouched || apps.some(([, one]) => one.touched);
  const error = job.error ?? apps.map(([app, one]) => errorOf(app, one, card)).find((code) => code !== null);
  const details = error === 'card-set-aside' && job.setAside !== null ? setAsideDetails(job.setAside) : {};
  return {
    result: wished ? 'complete' : changed ? 'partial' : 'refused',
    card: job.identification,
    apps: [...enabled, ...undeleted],
    deleted,
    trips: job.trips,
    plannedTrips: job.plannedTrips,
    ...(error == null || wished ? {} : { error }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  };
}

function told(app: string, one: AppProgress, card: CardState, keyVersions: KeyVersions): AppOutcome {
  const error = errorOf(app, one, card);
  return { app, before: one.before, after: one.after, keyVersions, ...(error === null ? {} : { error }) };
}

/** Errors of a load whose texts say that the card has nothing of the app. */
const NOTHING_LEFT: readonly (ErrorCode | null)[] = ['load-failed', 'not-enough-memory'];

/** A load that failed is told as what it left: as long as a package may be on the card nobody says that there is none. */
function errorOf(app: string, { action, error }: AppProgress, card: CardState): ErrorCode | null {
  const mayBeLeft = action === 'enable' && card.apps[app]?.inDoubt === true;
  return mayBeLeft && NOTHING_LEFT.includes(error) ? 'load-left-behind' : error;
}
