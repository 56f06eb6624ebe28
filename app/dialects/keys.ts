/** Keys of a card application, as every dialect has them: by role, each with a master key behind it. Pure. */
import { createHash } from 'node:crypto';
import { fromHex } from '../card/bytes.ts';
import type { KeyVersions } from '../protocol/wire.ts';
import { certainKey, isCertainly, type KeyCandidate, type KeySlotState } from './key-slots.ts';

/** What is known of the keys of one app on one card, by role. */
export type AppKeys = Readonly<Record<string, KeySlotState>>;

/** The keys that an app is to have, by role. */
export type KeyTargets = Readonly<Record<string, KeyCandidate>>;

/** One card's key as the vault knows it: its master, and the 8 bytes D that it is diversified with. */
export interface CardKeyRef {
  readonly master: {
    readonly purpose: string;
    readonly origin: KeyCandidate['origin'];
    readonly version: number;
  };
  readonly factor: Uint8Array;
  /** The account that D was made with, where that is not the card's any more. */
  readonly account?: string | undefined;
}

/** The codes of a card that keys are diversified with: decimal digits, or hexadecimal ones of an identification code. */
export interface CardCodes {
  readonly identification: string;
  readonly account: string;
}

/** Name of the master keys that cards' keys of one role come from. */
export function appKeyPurpose(app: string, role: string): string {
  return `app/${app}/${role}`;
}

export function cardKeyRef(app: string, role: string, key: KeyCandidate): CardKeyRef {
  return {
    master: { purpose: appKeyPurpose(app, role), origin: key.origin, version: key.version },
    factor: fromHex(key.factor),
    ...(key.account === undefined ? {} : { account: key.account }),
  };
}

const FACTOR_DIGITS = 16;

/** The 8 bytes D of an identification code or account, hexadecimal: its last 16 digits, left-padded with 0. */
export function factorOf(code: string): string {
  if (!/^[0-9A-F]+$/.test(code)) throw new RangeError('a code that has other characters than digits');
  return code.slice(-FACTOR_DIGITS).padStart(FACTOR_DIGITS, '0');
}

/** Without the attempts that were allowed beyond the count. */
export function ungranted(keys: AppKeys): AppKeys {
  return Object.fromEntries(Object.entries(keys).map(([role, { granted: _used, ...slot }]) => [role, slot]));
}

/**
 * What a master's cards are told apart by: the code that the manufacturer personalised with, the account, or card and account together.
 * Which of them is fixed with the master when it is made (app/keyserver/vault/keys.ts).
 */
export const FACTOR_KINDS = ['identification', 'account', 'card'] as const;
export type FactorKind = (typeof FACTOR_KINDS)[number];

const FACTOR_BYTES = 8;

/**
 * The 8 bytes D of a card's key, hexadecimal. `card`: the beginning of SHA-256 over both codes. A key of an account alone could be written
 * to another card than the account's, under a transport key that somebody knows, and would come out in clear there; with the card in D
 * the key of one card is nothing on any other.
 */
export function factorFor(kind: FactorKind, { identification, account }: CardCodes): string {
  switch (kind) {
    case 'identification':
      return factorOf(identification);
    case 'account':
      return factorOf(account);
    case 'card': {
      // A colon is in no code, so that no two pairs of codes give one text.
      const text = `kaika card key 1:${identification}:${account}`;
      return createHash('sha256')
        .update(text)
        .digest()
        .subarray(0, FACTOR_BYTES)
        .toString('hex')
        .toUpperCase();
    }
  }
}

/** Whether a key is of the account with this factor (`factorOf`), whatever else is in its D. */
export function isOfAccount({ factor, account }: KeyCandidate, accountFactor: string): boolean {
  return (account === undefined ? factor : factorOf(account)) === accountFactor;
}

/** The slot of a role. @throws Error when the app has none: rules and record name the same roles. */
export function slotOf(keys: AppKeys | null, role: string): KeySlotState {
  const slot = keys === null || !Object.hasOwn(keys, role) ? undefined : keys[role];
  if (slot === undefined) throw new Error(`the app has no key ${role} on this card`);
  return slot;
}

/** What a role's slot should hold. @throws Error when nothing is said of it */
export function targetOf(targets: KeyTargets, role: string): KeyCandidate {
  const target = Object.hasOwn(targets, role) ? targets[role] : undefined;
  if (target === undefined) throw new Error(`no key is meant for the role ${role}`);
  return target;
}

/** `keys` with one slot changed. @throws Error when the app has no such slot */
export function withSlot(
  keys: AppKeys | null,
  role: string,
  change: (before: KeySlotState) => KeySlotState,
): AppKeys {
  return { ...keys, [role]: change(slotOf(keys, role)) };
}

/** Whether every slot certainly holds its target, and the card refused none. */
export function allCurrent(keys: AppKeys, targets: KeyTargets): boolean {
  return Object.entries(targets).every(([role, target]) => isCurrent(slotOf(keys, role), target));
}

/** Whether the slot is certainly as it should be. */
export function isCurrent(slot: KeySlotState, target: KeyCandidate): boolean {
  return !slot.refused && isCertainly(slot, target);
}

/** Version of the issuer's key that is certainly in each slot; null for a transport key and while in doubt. */
export function issuerVersions(keys: AppKeys | null): KeyVersions {
  return versionsBy(keys, (slot) => {
    const key = certainKey(slot);
    return key?.origin === 'issuer' ? key.version : null;
  });
}

/** The same roles with nothing said of any: for an app of which it is not certain that its keys are on the card. */
export function noVersions(keys: AppKeys | null): KeyVersions {
  return versionsBy(keys, () => null);
}

function versionsBy(keys: AppKeys | null, versionOf: (slot: KeySlotState) => number | null): KeyVersions {
  return Object.fromEntries(Object.entries(keys ?? {}).map(([role, slot]) => [role, versionOf(slot)]));
}
