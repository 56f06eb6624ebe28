/** What an FMCOS app's two keys are, and when it pays to move them to other versions. */
import { toHex } from '../../card/bytes.ts';
import type { AppKeyRules } from '../dialect.ts';
import {
  certainKey,
  isCertainly,
  type KeyCandidate,
  type KeySlotState,
  mayTry,
  settled,
} from '../key-slots.ts';
import {
  type AppKeys,
  type CardCodes,
  factorOf,
  isCurrent,
  type KeyTargets,
  slotOf,
  targetOf,
} from '../keys.ts';
import { MCK, MTK } from './roles.ts';
import { type FmcosRule, type KeyLayout, MOST_WRONG_MACS, maximumTries } from './rule.ts';

export function appKeys(rule: FmcosRule): AppKeyRules {
  return {
    roles: [MCK, MTK],
    issuedBy: MCK,
    transport: (codes) => ({
      [MCK]: settled(transportKey(rule.mck, codes)),
      [MTK]: settled(transportKey(rule.mtk, codes)),
    }),
    transportRule: (role) => layoutOf(rule, role).transportKey,
    records: (role) => [recordHead(layoutOf(rule, role))],
    writesToRenew: (keys, targets) => writesToRenew(keys, targets, maximumTries(rule.mck)),
    tries: (role) => (role === MTK ? MOST_WRONG_MACS : maximumTries(rule.mck)),
    rewritten: [MTK],
  };
}

/** @throws Error for a role that FMCOS apps do not have */
function layoutOf(rule: FmcosRule, role: string): KeyLayout {
  if (role !== MCK && role !== MTK) throw new Error(`an FMCOS app has no key ${role}`);
  return rule[role];
}

/** Slot, key number and the record's fields before the key, as WRITE KEY carries them. */
function recordHead(slot: KeyLayout): string {
  const { type, keyId, typeInside, useRight, changeRight, nextState, counter } = slot;
  return toHex(Uint8Array.of(type, keyId, typeInside, useRight, changeRight, nextState, counter));
}

function transportKey({ transportKey: { version, factor } }: KeyLayout, codes: CardCodes): KeyCandidate {
  return { origin: 'factory', version, factor: factorOf(codes[factor]) };
}

/**
 * Only issuer's keys are moved, and never at the price of tries: an app whose key was refused, or whose tries are few, is left alone. Nobody
 * asked for the move.
 */
function writesToRenew(keys: AppKeys, targets: KeyTargets, tries: number): number {
  const [mck, mtk] = [slotOf(keys, MCK), slotOf(keys, MTK)];
  if (!mayTry(mck, tries)) return 0;
  if ([...mck.candidates, ...mtk.candidates].some(({ origin }) => origin !== 'issuer')) return 0;
  const master = isCurrent(mck, targetOf(targets, MCK)) ? 0 : 1;
  return writesOfMaintenanceKey(mtk, targetOf(targets, MTK)) + master;
}

/** A slot in doubt is written with the key it was being changed to before it may get another. */
function writesOfMaintenanceKey(slot: KeySlotState, target: KeyCandidate): number {
  if (isCurrent(slot, target)) return 0;
  const doubt = certainKey(slot) === undefined ? slot.candidates[0] : undefined;
  return doubt === undefined || isCertainly({ ...slot, candidates: [doubt] }, target) ? 1 : 2;
}
