/**
 * Two things that are known of an app's key slots, made one: what a station said of a card that had not shown itself, and what was known before. Pure.
 */
import {
  bothOf,
  type KeyCandidate,
  type KeySlotState,
  mostUnshown,
  nextTry,
  sameKey,
} from '../../dialects/key-slots.ts';
import type { AppKeys } from '../../dialects/keys.ts';

/** Every slot with the keys that either knows of, and the count that `count` makes of both. */
export function joined(
  keys: AppKeys,
  known: AppKeys,
  own: readonly string[],
  both: Both,
  count: (slot: KeySlotState, known: KeySlotState, role: string) => KeySlotState,
): AppKeys {
  const slots = Object.entries(keys).map(([role, slot]): [string, KeySlotState, KeySlotState] => {
    const other = Object.hasOwn(known, role) ? known[role] : undefined;
    if (other === undefined) return [role, slot, slot];
    const candidates = own.includes(role) ? slot.candidates : both(slot, other, role);
    const joint = candidates === slot.candidates ? slot : { ...slot, candidates };
    return [role, slot, count(joint, other, role)];
  });
  if (slots.every(([, before, after]) => before === after)) return keys;
  return Object.fromEntries(slots.map(([role, , after]) => [role, after]));
}

/** The keys that a slot may have, of those that are said and those that were known. */
type Both = (slot: KeySlotState, known: KeySlotState, role: string) => readonly KeyCandidate[];

/**
 * What was known comes first, so that a claim costs the card no try while the known key is right, and is never left out for a claim: a slot holds two
 * keys, and an invented one in the place of the true one would lock the card. A slot that is written again before it is used is in nobody's way.
 */
export function knownFirst(rewritten: readonly string[]): Both {
  return (slot, known, role) => {
    if (rewritten.includes(role)) return bothOf(slot, known) ?? unsure(slot, known);
    const both = bothOf(known, slot) ?? known.candidates;
    const same =
      both.length === slot.candidates.length && both.every((key, at) => key === slot.candidates[at]);
    return same ? slot.candidates : both;
  };
}

/** More keys than are remembered: the newest, and another, so that it is not taken for the one on the card, and is written again. */
function unsure(slot: KeySlotState, known: KeySlotState): readonly KeyCandidate[] {
  const newest = slot.candidates.slice(0, 1);
  const other = known.candidates.filter((key) => !newest.some((one) => sameKey(one, key)));
  return [...newest, ...other.slice(0, 1)];
}

/** An app that was installed anew has the keys that it is delivered with, most likely. */
export const freshFirst: Both = (slot, known) => bothOf(slot, known) ?? slot.candidates;

/**
 * Tries and refusals as they were known, and attempts as they were counted: those that went to a card which did not show itself may be true, and
 * never came to more than leaves one (`attemptOf`); what was only told beyond that is nothing. Alone they must not keep a card out of use, so one
 * attempt is allowed.
 */
export function recounted(slot: KeySlotState, known: KeySlotState, tries: number): KeySlotState {
  const { told: _told, granted: left, ...said } = slot;
  const { told, granted } = known;
  // What people had allowed may have gone to this card. What is for cards that show themselves has not.
  const isForShown = granted === 'shown';
  const used = granted !== undefined && !isForShown && left === undefined;
  const spent = Math.max(known.spent, used ? said.spent : Math.min(said.spent, mostUnshown(tries)));
  const counted = { ...said, spent, refused: known.refused, ...(told === undefined ? {} : { told }) };
  if (left !== undefined) return { ...counted, granted: left };
  const claimed = !used && (isForShown || spent > known.spent) && nextTry(counted, tries) === 'spare';
  return claimed ? { ...counted, granted: 'shown' } : counted;
}

/** What is kept, with the keys and attempts that a job said of a card which did not show itself: they are possible, whatever the next one says. */
export function withSaid(
  kept: AppKeys,
  said: AppKeys,
  own: readonly string[],
  tries: (role: string) => number,
): AppKeys {
  return joined(
    kept,
    said,
    own,
    (slot, now) => {
      const both = bothOf(slot, now) ?? slot.candidates;
      return both.length === slot.candidates.length ? slot.candidates : both;
    },
    (slot, now, role) => {
      const spent = Math.max(slot.spent, Math.min(now.spent, mostUnshown(tries(role))));
      if (spent === slot.spent) return slot;
      const counted = { ...slot, spent };
      const isSpare = slot.granted === undefined && nextTry(counted, tries(role)) === 'spare';
      return isSpare ? { ...counted, granted: 'shown' } : counted;
    },
  );
}

/**
 * What is kept, with what the card itself was asked in this job and answered: it came to this card, whatever keys it has. A key that it refused, by its
 * station's word, stays possible, and is tried behind the others: the card was there, and trying it again may cost the last try.
 */
export function counted(kept: AppKeys, keys: AppKeys): AppKeys {
  const slots = Object.entries(kept).map(([role, slot]): [string, KeySlotState] => {
    const now = Object.hasOwn(keys, role) ? keys[role] : undefined;
    if (now === undefined) return [role, slot];
    const told = Math.max(slot.told ?? 0, now.told ?? 0);
    const { told: _told, granted: _left, ...known } = slot;
    const { granted, refused } = now;
    // A key that the card was not asked for it has not refused.
    const asked = holds({ [role]: now }, { [role]: slot });
    return [
      role,
      {
        ...known,
        candidates: likelyFirst(slot.candidates, now.candidates),
        spent: Math.max(slot.spent, now.spent),
        refused: asked ? refused : slot.refused,
        ...(told === 0 ? {} : { told }),
        ...(granted === undefined ? {} : { granted }),
      },
    ];
  });
  return Object.fromEntries(slots);
}

function likelyFirst(
  possible: readonly KeyCandidate[],
  likely: readonly KeyCandidate[],
): readonly KeyCandidate[] {
  const isLikely = (key: KeyCandidate) => likely.some((one) => sameKey(one, key));
  return [...possible.filter(isLikely), ...possible.filter((key) => !isLikely(key))];
}

/** Without the manufacturer's keys, wherever one of the issuer's is possible too. */
export function withoutDelivered(keys: AppKeys): AppKeys {
  const slots = Object.entries(keys).map(([role, slot]): [string, KeySlotState] => {
    const issuers = slot.candidates.filter(({ origin }) => origin === 'issuer');
    return [role, issuers.length === 0 ? slot : { ...slot, candidates: issuers }];
  });
  return Object.fromEntries(slots);
}

/** Whether every key of `kept` is among those of `keys`. */
export function holds(keys: AppKeys, kept: AppKeys): boolean {
  return Object.entries(kept).every(([role, { candidates }]) =>
    candidates.every((key) => keys[role]?.candidates.some((one) => sameKey(one, key)) === true),
  );
}
