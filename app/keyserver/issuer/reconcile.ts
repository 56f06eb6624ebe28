/** The record of a card and what a station has just seen of it, brought together. Pure. */

import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { issuingOf } from '../../dialects/dialect.ts';
import type { JobRequest } from '../../protocol/wire.ts';
import { type CardState, withApp } from './card-state.ts';

/**
 * Brings the record and what the station saw together, where seeing adds something: a card at first sight, an app that came from
 * elsewhere, the outcome of a load or deletion in doubt. It never takes a key away that the card may hold: an app seen to be gone keeps
 * its keys and its doubt until the card itself says in a job that nothing is there.
 */
export function reconcile(
  card: CardState,
  request: Pick<JobRequest, 'observed' | 'account'>,
  profile: CardTypeProfile,
  identification: string,
): CardState {
  return request.observed.reduce((known, seen) => {
    const rule = Object.hasOwn(profile.apps, seen.app) ? profile.apps[seen.app] : undefined;
    if (rule === undefined) return known;
    const before = known.apps[seen.app];
    if (seen.state === 'missing') {
      return before === undefined || before.state === 'missing'
        ? known
        : withApp(known, seen.app, (app) => ({ ...app, state: 'missing' }));
    }
    if (before !== undefined && before.keys !== null) {
      return before.inDoubt || before.state !== seen.state
        ? withApp(known, seen.app, (app) => ({ ...app, state: seen.state, inDoubt: false }))
        : known;
    }
    return withApp(known, seen.app, (app) => ({
      ...app,
      state: seen.state,
      instance: app.instance + 1,
      inDoubt: false,
      keys: issuingOf(rule).keys.transport({ identification, account: request.account }),
    }));
  }, card);
}
