/**
 * That a call is about one card, whatever the server says: each key's diversification is compared with what the rule of its master makes of
 * the card that the call names, and a new key may travel only under a key of the same card.
 */
import { fromHex, toHex } from '../../../../card/bytes.ts';
import { FACTOR_KINDS, factorFor } from '../../../../dialects/keys.ts';
import { VaultError } from '../../error.ts';
import {
  type CardStatement,
  type Diversification,
  type DiversifiedBy,
  describeKey,
  type MasterKeyId,
  type MasterRule,
} from '../../keys.ts';
import type { Workbench } from './workbench.ts';

/** @throws VaultError `refused` for a master of an older program, `key-missing`; Pkcs11Error */
export function ruleOf({ session, keys }: Workbench, id: MasterKeyId): MasterRule {
  const rule = keys.rule(session, id);
  if (rule === undefined)
    throw new VaultError('refused', `${describeKey(id)} has no rule in the token: keys fix gives it one`);
  return rule;
}

/** What the rule makes of the card. @throws VaultError `refused` where the call does not say what the rule needs */
export function diversificationFor(
  id: MasterKeyId,
  { diversifiedBy }: MasterRule,
  card: CardStatement,
): Diversification {
  switch (diversifiedBy) {
    case 'none':
      return { kind: 'none' };
    case 'identification':
    case 'account':
    case 'card':
      return { kind: 'pboc', factor: fromHex(factorFor(diversifiedBy, card)) };
    case 'visa2':
    case 'emv-cps':
    case 'kdf3': {
      if (card.data === undefined)
        throw new VaultError('refused', `${describeKey(id)} needs the card's own diversification data`);
      return { kind: diversifiedBy, data: card.data };
    }
  }
}

/** @throws VaultError `refused` unless `given` is what the rule of the master makes of the card */
export function requireOfCard(
  bench: Workbench,
  card: CardStatement,
  id: MasterKeyId,
  given: Diversification,
): void {
  const expected = diversificationFor(id, ruleOf(bench, id), card);
  if (textOf(expected) !== textOf(given))
    throw new VaultError('refused', `${describeKey(id)} is not diversified so for the card of this call`);
}

function textOf(one: Diversification): string {
  switch (one.kind) {
    case 'none':
      return 'none';
    case 'pboc':
      return `pboc ${toHex(one.factor)}`;
    case 'visa2':
    case 'emv-cps':
    case 'kdf3':
      return `${one.kind} ${toHex(one.data)}`;
  }
}

/**
 * A new key may travel under `under` only where the new key's own diversification says which card that is. Were the new key of an account
 * and the other of a card, one could have any account's key put under the transport key of a card of one's own, and read it there.
 * @throws VaultError `refused`
 */
export function requireOneCard(
  bench: Workbench,
  card: CardStatement,
  outerKey: NamedKey,
  innerKey: NamedKey,
): void {
  const [under, newKey] = [outerKey.master, innerKey.master];
  const [outer, inner] = [under, newKey].map((id) => ruleOf(bench, id).diversifiedBy);
  // Of an account alone, the key on the card must be of the very account that the new one is of: nothing else binds them.
  const [outerAccount, innerAccount] = [outerKey, innerKey].map(({ account = card.account }) => account);
  const oneAccount = outer !== 'account' || outerAccount === innerAccount;
  if (outer === undefined || inner === undefined || !oneAccount || !isSettledBy(outer, inner))
    throw new VaultError(
      'refused',
      `${describeKey(newKey)} could be written to another card than ${describeKey(under)} is on`,
    );
}

/** A key of a call: its master, and the account that it was made with where that is not the card's. */
interface NamedKey {
  readonly master: MasterKeyId;
  readonly account?: string | undefined;
}

/** Bytes of the card's data that a diversification takes. */
const TAKEN: Partial<Readonly<Record<DiversifiedBy, readonly number[]>>> = {
  visa2: [0, 1, 4, 5, 6, 7],
  'emv-cps': [4, 5, 6, 7, 8, 9],
  kdf3: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
};

/** Whether who fixes the new key's diversification has fixed that of the key it travels under. */
function isSettledBy(outer: DiversifiedBy, inner: DiversifiedBy): boolean {
  // All cards have that key: whoever knows it reads what travels under it, on any card. The type is shown as weak.
  if (outer === 'none') return true;
  if (outer === inner) return true;
  if (outer === 'identification' || outer === 'account') return inner === 'card';
  const [taken, given] = [TAKEN[outer], TAKEN[inner]];
  return taken !== undefined && given !== undefined && taken.every((byte) => given.includes(byte));
}

/** @throws VaultError `refused` unless the new key's master was made to stand behind these bytes in a key record */
export function requireRecord(bench: Workbench, newKey: MasterKeyId, record: Uint8Array): void {
  if (!ruleOf(bench, newKey).records.includes(toHex(record)))
    throw new VaultError('refused', `${describeKey(newKey)} was not made for a key record with these fields`);
}

/** Whether keys of card applications may have this rule. */
export function isOfApps(diversifiedBy: DiversifiedBy): boolean {
  return FACTOR_KINDS.some((kind) => kind === diversifiedBy);
}
