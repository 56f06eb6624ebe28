/** Which keys of an older receipt still hold for a card on which jobs have begun since. Pure. */

import type { AppKeys } from '../../dialects/keys.ts';
import { type CardState, withApp, withDomain } from '../issuer/card-state.ts';
import type { DomainState } from '../issuer/domain-keys.ts';

/** What jobs since then may have changed, because the card let them in. */
export interface TouchedSince {
  readonly apps: ReadonlySet<string>;
  readonly domain: boolean;
}

/**
 * `now`, with the keys of `before` wherever no job since has been let in by the card: keys are written behind an authentication only, so
 * what was true of them still is. Tries stay spent, so that the next attempt counts like any.
 */
export function rescued(now: CardState, before: CardState, since: TouchedSince): CardState {
  const apps = Object.entries(now.apps).reduce((card, [app, { keys, instance }]) => {
    const older = before.apps[app];
    if (since.apps.has(app) || keys === null || older?.keys == null || older.instance < instance) return card;
    if (sameKeys(keys, older.keys)) return card;
    const slots = Object.entries(keys).map(([role, slot]) => {
      const candidates = older.keys?.[role]?.candidates ?? slot.candidates;
      return [role, { ...slot, candidates, refused: false }] as const;
    });
    return withApp(card, app, (known) => ({
      ...known,
      instance: older.instance,
      loadFileHash: known.loadFileHash ?? older.loadFileHash,
      keys: Object.fromEntries(slots),
    }));
  }, now);
  const { domain } = before;
  if (since.domain || domain === undefined || !domain.candidates.some(({ origin }) => origin === 'issuer'))
    return apps;
  if (now.domain !== undefined && same(setsOf(now.domain), setsOf(domain))) return apps;
  // What people allowed since the receipt may be used up.
  const { granted: _used, ...keys } = domain;
  const spent = Math.max(domain.spent, now.domain?.spent ?? 0);
  const granted = now.domain?.granted;
  return withDomain(apps, { ...keys, spent, ...(granted === undefined ? {} : { granted }) });
}

function sameKeys(one: AppKeys, other: AppKeys): boolean {
  return Object.entries(one).every(
    ([role, { refused, candidates }]) => !refused && same(candidates, other[role]?.candidates),
  );
}

const setsOf = ({ candidates, leaving }: DomainState) => [candidates, leaving];

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
