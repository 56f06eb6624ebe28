/**
 * What the server knows of one key slot on one card. A slot holds one candidate when it is certain which key is on the
 * card, two while a write may or may not have happened (design §5). Pure.
 */
import { z } from 'zod';

/** One key that may be on the card: the master's origin and version, and the diversification factor D in hexadecimal. */
export const keyCandidateSchema = z.strictObject({
  origin: z.enum(['factory', 'issuer']),
  version: z.number().int().min(1),
  factor: z.string().regex(/^[0-9A-F]{16}$/),
  /** The account in D, where D does not show it: the card may have another by now. */
  account: z
    .string()
    .regex(/^[0-9]{1,20}$/)
    .optional(),
});
export type KeyCandidate = z.infer<typeof keyCandidateSchema>;

export interface KeySlotState {
  /** Newest first; one when settled, two while in doubt. */
  readonly candidates: readonly KeyCandidate[];
  /** Attempts sent since the last success: authentications under the master control key, MACs under the maintenance key. */
  readonly spent: number;
  /**
   * Master control key: the card refused a key that had to be right, nothing more is tried. Maintenance key: the card refused a MAC
   * under it, so it is written again before it is used.
   */
  readonly refused: boolean;
  /** How many of `spent` the card itself has told (63Cx, a refused MAC). Absent: none. */
  readonly told?: number;
  /** One attempt is allowed more than the count does. It is used up when an attempt is sent, whatever becomes of it. */
  readonly granted?: Grant;
}

/**
 * `spare`: one that leaves a try when it fails, allowed by people; `last`: one that may be the last. `shown`: as `spare`, allowed because attempts may have
 * gone to no card, and so only for a card that shows itself: another such station could use it up. The count stays as it is: attempts that
 * nobody answered may have cost the card tries, and a count once forgotten would let the next one lock it.
 */
export const grantSchema = z.enum(['shown', 'spare', 'last']);
export type Grant = z.infer<typeof grantSchema>;

export function settled(candidate: KeyCandidate): KeySlotState {
  return { candidates: [candidate], spent: 0, refused: false };
}

export function sameKey(a: KeyCandidate, b: KeyCandidate): boolean {
  return a.origin === b.origin && a.version === b.version && a.factor === b.factor;
}

/** The one key on the card; undefined while in doubt. */
export function certainKey(slot: KeySlotState): KeyCandidate | undefined {
  return slot.candidates.length === 1 ? slot.candidates[0] : undefined;
}

export function isCertainly(slot: KeySlotState, key: KeyCandidate): boolean {
  const certain = certainKey(slot);
  return certain !== undefined && sameKey(certain, key);
}

/**
 * Before a write of `next` leaves: both keys are possible from now on. A slot in doubt may be written again only with the key it was
 * being changed to, so that never more than two keys are possible.
 * @throws Error when the slot is in doubt about another key: resolve it first.
 */
export function intendWrite(slot: KeySlotState, next: KeyCandidate): KeySlotState {
  const certain = certainKey(slot);
  if (certain !== undefined) {
    return sameKey(certain, next) ? slot : { ...slot, candidates: [next, certain] };
  }
  if (slot.candidates[0] !== undefined && sameKey(slot.candidates[0], next)) return slot;
  throw new Error('a key slot in doubt must be resolved before it changes again');
}

/**
 * The same for a slot whose key is never tried before it is written again, where the key that it was being changed to must not be written any
 * more. What is on the card is found out by the write alone, so of the older keys only the newest is kept.
 */
export function intendRewrite(slot: KeySlotState, next: KeyCandidate): KeySlotState {
  const [newest] = slot.candidates;
  return newest === undefined || sameKey(newest, next)
    ? { ...slot, candidates: [next] }
    : { ...slot, candidates: [next, newest] };
}

/** The card said the write was done. Tries stay counted: whether a write restores a counter is not relied upon. */
export function writeDone(slot: KeySlotState, next: KeyCandidate): KeySlotState {
  return { ...slot, candidates: [next], refused: false };
}

/** The write certainly did not happen: what was there before the intent is there still. */
export function writeUndone(slot: KeySlotState, before: readonly KeyCandidate[]): KeySlotState {
  return { ...slot, candidates: before };
}

/** A try is spent before it is sent; no answer counts as failed. */
export function spendTry({ granted: _used, ...slot }: KeySlotState): KeySlotState {
  return { ...slot, spent: slot.spent + 1 };
}

/** The attempt certainly never reached the card, or cost no try there. */
export function returnTry(slot: KeySlotState): KeySlotState {
  return { ...slot, spent: Math.max(0, slot.spent - 1) };
}

/** The card took a MAC under the maintenance key: its count of wrong ones starts again. */
export function macAccepted({ candidates }: KeySlotState): KeySlotState {
  return { candidates, spent: 0, refused: false };
}

/** The card accepted `key`: it is the one there, and its counter is back at the maximum. */
export function proven(
  { told: _told, granted: _granted, ...slot }: KeySlotState,
  key: KeyCandidate,
): KeySlotState {
  return { ...slot, candidates: [key], spent: 0, refused: false };
}

/**
 * The card refused `key` and says `left` tries remain. Of two candidates the other is now certain; the only one refused means that
 * the record is wrong, and nothing more is tried.
 */
export function disproven(
  slot: KeySlotState,
  key: KeyCandidate,
  left: number,
  maximum: number,
): KeySlotState {
  const rest = slot.candidates.filter((candidate) => !sameKey(candidate, key));
  const spent = Math.max(0, maximum - left);
  const counted = { ...slot, spent, told: spent };
  return rest.length === 0 ? { ...counted, refused: true } : { ...counted, candidates: rest };
}

/** The card refused a MAC under the key: it has counted that itself. */
export function macRefused(slot: KeySlotState): KeySlotState {
  return { ...slot, told: slot.spent, refused: true };
}

/**
 * What one more attempt needs. `free`: nobody's word. One that may fail (two candidates) leaves two tries after failing then, one with the certain
 * key leaves one. `spare`: it leaves one try, and may fail. `last`: it may be the last. `locked`: the card itself said that none is left.
 */
export type NextTry = 'free' | 'spare' | 'last' | 'locked';

/** What the next attempt needs, of a key with `maximum` tries; whether the key was refused is another matter. */
export function nextTry(slot: Pick<KeySlotState, 'candidates' | 'spent' | 'told'>, maximum: number): NextTry {
  const leftAfterFailing = maximum - slot.spent - 1;
  if (leftAfterFailing >= leftAfterAttempt(slot)) return 'free';
  if (leftAfterFailing >= 1) return 'spare';
  return (slot.told ?? 0) < maximum ? 'last' : 'locked';
}

/** Whether one more attempt may be sent. */
export function mayTry(slot: KeySlotState, maximum: number): boolean {
  if (slot.refused || slot.candidates.length === 0) return false;
  switch (nextTry(slot, maximum)) {
    case 'free':
      return true;
    case 'spare':
      return slot.granted !== undefined;
    case 'last':
      return slot.granted === 'last';
    case 'locked':
      return false;
  }
}

/**
 * Whether the card has shown in this job that it is there. `never`: it was asked to, and did not; cards of types that can show nothing count as
 * `shown`.
 */
export type Presence = 'shown' | 'not-yet' | 'never';

/**
 * What is to be done about one more attempt. To a card that has not shown itself it goes only where two tries are left when it fails: it may have
 * cost one there, and it may have gone to no card at all, so that one attempt more must be possible whichever it was. `keep`: it is not sent.
 */
export function attemptOf(
  slot: KeySlotState,
  maximum: number,
  presence: Presence,
): 'send' | 'show-first' | 'keep' {
  if (!mayTry(slot, maximum)) return 'keep';
  if (presence === 'shown' || mayTryUnshown(slot, maximum)) return 'send';
  if (presence === 'not-yet') return 'show-first';
  return slot.granted === undefined || slot.granted === 'shown' ? 'keep' : 'send';
}

export function mayTryUnshown({ spent }: Pick<KeySlotState, 'spent'>, maximum: number): boolean {
  return maximum - spent - 1 >= 2;
}

/** Tries that must be left once an attempt has failed. */
function leftAfterAttempt({ candidates }: Pick<KeySlotState, 'candidates'>): 1 | 2 {
  return candidates.length > 1 ? 2 : 1;
}

/** The highest count that attempts can come to which went to cards that did not show themselves. */
export function mostUnshown(maximum: number): number {
  return Math.max(0, maximum - 2);
}

/** Every key that either knows of, the first one's first; undefined for more than a slot may hold. */
export function bothOf(one: KeySlotState, other: KeySlotState): readonly KeyCandidate[] | undefined {
  const more = other.candidates.filter((key) => !one.candidates.some((known) => sameKey(known, key)));
  const all = [...one.candidates, ...more];
  return all.length <= 2 ? all : undefined;
}
