/** Versions of master keys whose bytes the test knows, so that what is on a card can be told from outside. */
import { randomBytes } from 'node:crypto';
import { purposesOf } from '../../app/keyserver/keys/groups.ts';
import { ruleFor } from '../../app/keyserver/keys/rules.ts';
import { activateKeys, type KeyChange } from '../../app/keyserver/keys/versions.ts';
import { insertOperator } from '../../app/keyserver/store/people.ts';
import { openVaultAdmin } from '../../app/keyserver/vault/admin.ts';
import type { KeyAlgorithm } from '../../app/keyserver/vault/keys.ts';
import type { VirtualCard } from '../../app/simulator/virtual-card.ts';
import type { IssuerRig } from './issuer-rig.ts';
import { slotOnCard } from './issuer-steps.ts';
import { issuersCardKey, oddParity } from './known-token.ts';

export const CUSTODIAN = 'custodian';
export const WHY = 'the yearly change of keys';

/** Somebody who may change keys. */
export async function addCustodian({ context }: Pick<IssuerRig, 'context'>): Promise<void> {
  const custodian = { name: CUSTODIAN, role: 'key-custodian', branch: null, secretHash: '-' } as const;
  await insertOperator(context.store, { id: CUSTODIAN, ...custodian, secretUntil: null });
}

/** Imports `version` of these purposes; gives the values by purpose. */
export async function importVersion(
  rig: Pick<IssuerRig, 'token' | 'context'>,
  purposes: readonly string[],
  version: number,
  algorithm: KeyAlgorithm = 'des3-16',
): Promise<ReadonlyMap<string, Uint8Array>> {
  const values = new Map(purposes.map((purpose) => [purpose, new Uint8Array(randomBytes(16))]));
  const admin = await openVaultAdmin(rig.token);
  try {
    for (const [purpose, value] of values)
      await admin.importMaster({
        id: { purpose, origin: 'issuer', version },
        algorithm,
        value: value.slice(),
        rule: ruleFor(rig.context.catalogue, { purpose, origin: 'issuer', version }, 'new'),
      });
  } finally {
    await admin.close();
  }
  return values;
}

/** A change of the keys under a name, by the custodian. */
export function keyChange({ context }: Pick<IssuerRig, 'context'>, name: string): KeyChange {
  return { name, purposes: purposesOf(context.catalogue, name), operator: CUSTODIAN, reason: WHY };
}

/** Makes `version` of a name the active one. */
export async function activate(
  { context }: Pick<IssuerRig, 'context'>,
  name: string,
  version: number,
): Promise<void> {
  const { masters } = await context.vault.status();
  await activateKeys(context.store, masters, version, keyChange({ context }, name), context.now());
}

/** Whether an app's slot on the card holds the key of this master for this card and account, computed by node:crypto. */
export function holds(
  card: VirtualCard,
  aid: string,
  type: 0x39 | 0x36,
  master: Uint8Array,
  account: string,
): boolean {
  const known = { purpose: 'app/x/y', origin: 'issuer', algorithm: 'des3-16', value: master } as const;
  const key = issuersCardKey(known, { identification: card.image.identificationCode, account });
  return slotOnCard(card, aid, type).value === oddParity(key).toString('hex').toUpperCase();
}
