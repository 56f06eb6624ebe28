/** The record of a card and what a station has just seen of it, brought together. Pure. */

import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { issuingOf } from '../../dialects/dialect.ts';
import { sameKey } from '../../dialects/key-slots.ts';
import type { AppKeys } from '../../dialects/keys.ts';
import type { AppState, JobRequest } from '../../protocol/wire.ts';
import { type CardAppState, type CardState, withApp } from './card-state.ts';
import { withBoth } from './ground.ts';

/**
 * Brings the record and what the station saw together, where seeing adds something: a card at first sight, an app that came from
 * elsewhere, the outcome of a load or deletion in doubt. What was seen is a station's word: it takes no key away that the card may hold, and makes
 * no app enabled or gone that the record has otherwise; it puts that in doubt.
 */
export function reconcile(
  card: CardState,
  request: Pick<JobRequest, 'observed' | 'account'>,
  profile: CardTypeProfile,
  identification: string,
): CardState {
  // A card without a security domain can show nothing: what its station saw is all there is.
  const believed = profile.securityDomain === undefined;
  const seen = request.observed.reduce((known, { app, state }) => {
    const rule = Object.hasOwn(profile.apps, app) ? profile.apps[app] : undefined;
    if (rule === undefined) return known;
    const transport = issuingOf(rule).keys.transport({ identification, account: request.account });
    const before = known.apps[app];
    if (before === undefined) {
      if (state === 'missing') return known;
      return withApp(known, app, (one) => ({
        ...one,
        state,
        instance: 1,
        inDoubt: !believed,
        keys: transport,
      }));
    }
    const after = withLook(before, state, transport, believed);
    return after === before ? known : withApp(known, app, () => after);
  }, card);
  return withBoth(seen, profile);
}

function withLook(before: CardAppState, seen: AppState, transport: AppKeys, believed: boolean): CardAppState {
  if (seen === 'missing')
    return before.state === 'missing' || before.inDoubt ? before : { ...before, inDoubt: true };
  const inDoubt = !believed;
  const { kept } = before;
  if (before.keys === null) {
    // It is said to have been deleted; nothing proves it, so it may be the same app as before.
    if (kept !== undefined)
      return { ...before, state: 'installed', instance: kept.instance, inDoubt, keys: kept.keys };
    const { ground: _ground, ...rest } = before;
    // That it is enabled would be the deed of whoever enabled the one that was deleted.
    const state = believed ? seen : 'installed';
    return { ...rest, state, instance: before.instance + 1, inDoubt, keys: transport };
  }
  const keys = asDelivered(before.keys, transport);
  if (believed)
    return before.state === seen && !before.inDoubt && before.keys === keys
      ? before
      : { ...before, state: seen, inDoubt: false, keys };
  // That it is enabled the record says only of what the card has shown itself; that it is not, it only doubts.
  const doubt =
    before.inDoubt || (before.state === 'enabled' && seen !== 'enabled') || before.state === 'missing';
  const state = before.state === 'missing' ? 'installed' : before.state;
  return before.inDoubt === doubt && before.state === state && before.keys === keys
    ? before
    : { ...before, state, inDoubt: doubt, keys };
}

/**
 * Keys with which nothing was ever done are those that the card was delivered with. They are named anew, because the first look may have come with
 * an account that is not the card's.
 */
function asDelivered(keys: AppKeys, transport: AppKeys): AppKeys {
  const named = Object.entries(keys).map(([role, slot]) => {
    const [key, other] = slot.candidates;
    const [delivered] = transport[role]?.candidates ?? [];
    const same = key === undefined || delivered === undefined || sameKey(key, delivered);
    return same || other !== undefined || key.origin !== 'factory'
      ? ([role, slot] as const)
      : ([role, { ...slot, candidates: [delivered] }] as const);
  });
  return named.every(([role, slot]) => slot === keys[role]) ? keys : Object.fromEntries(named);
}
