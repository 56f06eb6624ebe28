/**
 * Moving an enabled app from older versions of the issuer's keys to the active ones, or back: the same key writes as at its enabling, under
 * the master control key that is on the card. Nobody wishes it, so nothing else of a job fails with it. Pure.
 */

import {
  certainKey,
  isCertainly,
  type KeyCandidate,
  type KeySlotState,
  mayTry,
  type SlotName,
} from '../../dialects/key-slots.ts';
import type { CardAppState, CardState } from './card-state.ts';
import type { JobState } from './state.ts';

/** What an app's slots should hold. */
export type Targets = Readonly<Record<SlotName, KeyCandidate>>;

/** Whether the slot is certainly as it should be. */
export function isCurrent(slot: KeySlotState, target: KeyCandidate): boolean {
  return !slot.refused && isCertainly(slot, target);
}

/**
 * Key writes that an enabled app needs; 0 when it is as it should be. Only issuer's keys are moved, and never at the price of tries: an
 * app whose key was refused, or whose tries are few, is left alone.
 */
export function writesToRenew(app: CardAppState, targets: Targets, maximumTries: number): number {
  const { keys } = app;
  if (keys === null || !mayTry(keys.mck, maximumTries)) return 0;
  if ([...keys.mck.candidates, ...keys.mtk.candidates].some(({ origin }) => origin !== 'issuer')) return 0;
  return writesOfMaintenanceKey(keys.mtk, targets.mtk) + (isCurrent(keys.mck, targets.mck) ? 0 : 1);
}

/** A slot in doubt is written with the key it was being changed to before it may get another. */
function writesOfMaintenanceKey(slot: KeySlotState, target: KeyCandidate): number {
  if (isCurrent(slot, target)) return 0;
  const doubt = certainKey(slot) === undefined ? slot.candidates[0] : undefined;
  return doubt === undefined || isCertainly({ ...slot, candidates: [doubt] }, target) ? 1 : 2;
}

export function isRenewed(job: JobState, card: CardState, app: string): boolean {
  const keys = card.apps[app]?.keys;
  const targets = job.targets[app];
  if (keys == null || targets === undefined) return false;
  return isCurrent(keys.mck, targets.mck) && isCurrent(keys.mtk, targets.mtk);
}
