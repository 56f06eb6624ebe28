/** How a job ended, in the words of the wire. Pure. */
import type { AppOutcome, Outcome } from '../../protocol/wire.ts';
import type { CardState } from './card-state.ts';
import { certainKey, type KeySlotState } from './key-slots.ts';
import type { JobState } from './state.ts';

/** `complete`: every wish is fulfilled. `refused`: nothing on the card was changed. `partial`: the rest. */
export function outcomeOf(job: JobState, card: CardState): Outcome {
  const apps = Object.entries(job.apps);
  const enabled = apps
    .filter(([, one]) => one.action === 'enable')
    .map(([app, one]): AppOutcome => {
      const keys = card.apps[app]?.keys;
      return {
        app,
        before: one.before,
        after: one.after,
        mckVersion: keys == null ? null : versionOf(keys.mck),
        mtkVersion: keys == null ? null : versionOf(keys.mtk),
        ...(one.error === null ? {} : { error: one.error }),
      };
    });
  const undeleted = apps
    .filter(([, one]) => one.action === 'delete' && one.after !== 'missing')
    .map(
      ([app, one]): AppOutcome => ({
        app,
        before: one.before,
        after: one.after,
        mckVersion: null,
        mtkVersion: null,
        ...(one.error === null ? {} : { error: one.error }),
      }),
    );
  const deleted = apps
    .filter(([, one]) => one.action === 'delete' && one.after === 'missing')
    .map(([app]) => app);
  const wished = apps.every(([, one]) => one.after === (one.action === 'enable' ? 'enabled' : 'missing'));
  const changed = apps.some(([, one]) => one.after !== one.before);
  const touched = apps.some(
    ([app, one]) => one.action === 'enable' && one.after !== 'enabled' && anyIssuerKey(card, app),
  );
  const error = job.error ?? apps.map(([, one]) => one.error).find((code) => code !== null);
  return {
    result: wished ? 'complete' : changed || touched ? 'partial' : 'refused',
    card: job.identification,
    apps: [...enabled, ...undeleted],
    deleted,
    trips: job.trips,
    plannedTrips: job.plannedTrips,
    ...(error == null || wished ? {} : { error }),
  };
}

/** Version of the issuer's key that is certainly in the slot; null for a transport key or while in doubt. */
function versionOf(slot: KeySlotState): number | null {
  const key = certainKey(slot);
  return key?.origin === 'issuer' ? key.version : null;
}

function anyIssuerKey(card: CardState, app: string): boolean {
  const keys = card.apps[app]?.keys;
  return (
    keys != null &&
    [keys.mck, keys.mtk].some((slot) => slot.candidates.some((key) => key.origin === 'issuer'))
  );
}
