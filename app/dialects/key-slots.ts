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
}

export function settled(candidate: KeyCandidate): KeySlotState {
  return { candidates: [candidate], spent: 0, refused: false };
}

function sameKey(a: KeyCandidate, b: KeyCandidate): boolean {
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

/** The card said the write was done. Tries stay counted: whether a write restores a counter is not relied upon. */
export function writeDone(slot: KeySlotState, next: KeyCandidate): KeySlotState {
  return { ...slot, candidates: [next], refused: false };
}

/** The write certainly did not happen: what was there before the intent is there still. */
export function writeUndone(slot: KeySlotState, before: readonly KeyCandidate[]): KeySlotState {
  return { ...slot, candidates: before };
}

/** A try is spent before it is sent; no answer counts as failed. */
export function spendTry(slot: KeySlotState): KeySlotState {
  return { ...slot, spent: slot.spent + 1 };
}

/** The attempt certainly never reached the card, or cost no try there. */
export function returnTry(slot: KeySlotState): KeySlotState {
  return { ...slot, spent: Math.max(0, slot.spent - 1) };
}

/** The card took a MAC under the maintenance key: its count of wrong ones starts again. */
export function macAccepted(slot: KeySlotState): KeySlotState {
  return { ...slot, spent: 0, refused: false };
}

/** The card accepted `key`: it is the one there, and its counter is back at the maximum. */
export function proven(slot: KeySlotState, key: KeyCandidate): KeySlotState {
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
  return rest.length === 0 ? { ...slot, spent, refused: true } : { ...slot, candidates: rest, spent };
}

/**
 * Whether one more authentication may be sent. One that may fail (two candidates) only if two tries remain after failing;
 * one with the certain key only if failing leaves a try.
 */
export function mayTry(slot: KeySlotState, maximum: number): boolean {
  if (slot.refused || slot.candidates.length === 0) return false;
  const leftAfterFailing = maximum - slot.spent - 1;
  return leftAfterFailing >= (slot.candidates.length > 1 ? 2 : 1);
}
