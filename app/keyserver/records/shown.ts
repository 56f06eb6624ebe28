/** What is said of a card's state outside: versions and doubts, from what is known of its keys. Pure. */

import { issuerVersions, noVersions } from '../../dialects/keys.ts';
import type { CardRecord } from '../../protocol/card-record.ts';
import type { KeyVersions } from '../../protocol/wire.ts';
import { type CardAppState, type CardState, isContested } from '../issuer/card-state.ts';

/** What is said of an app's keys. Those of an app that is gone are kept in case the look was mistaken, but they are not on the card. */
export function versionsOf({ state, keys }: CardAppState): KeyVersions {
  return state === 'missing' ? noVersions(keys) : issuerVersions(keys);
}

/** A load, a deletion or a key write may or may not have happened, or a station said something of its keys that nothing proves. */
export function isInDoubt(app: CardAppState): boolean {
  const { keys } = app;
  if (isContested(app)) return true;
  return app.inDoubt || (keys !== null && Object.values(keys).some((slot) => slot.candidates.length > 1));
}

/** The security domain's keys; while in doubt the newest that they may be. */
export function domainShown({ domain }: CardState): CardRecord['domain'] {
  const set = domain?.candidates[0];
  if (domain === undefined || set === undefined) return null;
  const { origin, version, keyVersion } = set;
  return { origin, version, keyVersion, inDoubt: domain.candidates.length > 1 };
}

/** What says whether the app is on the card, and since when. */
export function groundShown({
  ground,
}: CardAppState): Pick<CardRecord['apps'][number], 'ground' | 'groundSince'> {
  return { ground: ground?.by ?? 'claimed', groundSince: ground?.in ?? null };
}
