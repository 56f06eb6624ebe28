/** What is said of a card's state outside: versions and doubts, from what is known of its keys. Pure. */

import type { KeySlotState } from '../../dialects/key-slots.ts';
import { issuerVersion } from '../../dialects/keys.ts';
import type { CardRecord } from '../../protocol/card-record.ts';
import type { CardAppState, CardState } from '../issuer/card-state.ts';

/** Versions of the issuer's keys that are certainly on the card; null for transport keys and while in doubt. */
export function versionsOf(app: CardAppState): { mckVersion: number | null; mtkVersion: number | null } {
  const keys = app.state === 'missing' ? null : app.keys;
  const versionOf = (slot: KeySlotState | undefined) => (slot === undefined ? null : issuerVersion(slot));
  return { mckVersion: versionOf(keys?.mck), mtkVersion: versionOf(keys?.mtk) };
}

/** A load, a deletion or a key write may or may not have happened. */
export function isInDoubt(app: CardAppState): boolean {
  const { keys } = app;
  return app.inDoubt || (keys !== null && Object.values(keys).some((slot) => slot.candidates.length > 1));
}

/** The security domain's keys; while in doubt the newest that they may be. */
export function domainShown({ domain }: CardState): CardRecord['domain'] {
  const set = domain?.candidates[0];
  if (domain === undefined || set === undefined) return null;
  const { origin, version, keyVersion } = set;
  return { origin, version, keyVersion, inDoubt: domain.candidates.length > 1 };
}
