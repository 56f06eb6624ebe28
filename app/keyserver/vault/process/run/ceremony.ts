/** Making keys in the token. Reached from the admin process only. */
import pkcs11, { type Handle, type Template } from 'pkcs11js';
import { wipe } from '../../../../card/bytes.ts';
import { VaultError } from '../../error.ts';
import type { KeyAlgorithm, MasterKeyId, MasterRule } from '../../keys.ts';
import { describeKey } from '../../keys.ts';
import { hasKey, isDemo } from '../token/key-cache.ts';
import { DEMO_LABEL, keyId, masterLabel, SEAL_LABEL } from '../token/labels.ts';
import { boolValue, type RawAttribute, ulongValue } from '../token/raw-cryptoki.ts';
import { writeRule } from '../token/rules.ts';
import { checkValueOf, keyLength, type TokenSession } from '../token/session.ts';
import { masterInfo } from './masters.ts';
import { isOfApps } from './one-card.ts';
import type { Workbench } from './workbench.ts';

const AES_256_BYTES = 32;

/** A master may derive, and nothing else: no operation encrypts under it, and it never leaves the token. */
function masterAttributes(id: MasterKeyId, algorithm: KeyAlgorithm): RawAttribute[] {
  const label = masterLabel(id);
  const type = algorithm === 'des3-16' ? pkcs11.CKK_DES2 : pkcs11.CKK_AES;
  return [
    { type: pkcs11.CKA_CLASS, value: ulongValue(pkcs11.CKO_SECRET_KEY) },
    { type: pkcs11.CKA_KEY_TYPE, value: ulongValue(type) },
    { type: pkcs11.CKA_LABEL, value: Buffer.from(label) },
    { type: pkcs11.CKA_ID, value: keyId(label) },
    ...protectedAttributes(),
    { type: pkcs11.CKA_DERIVE, value: boolValue(true) },
    { type: pkcs11.CKA_ENCRYPT, value: boolValue(false) },
    { type: pkcs11.CKA_DECRYPT, value: boolValue(false) },
  ];
}

function protectedAttributes(): RawAttribute[] {
  return [
    { type: pkcs11.CKA_TOKEN, value: boolValue(true) },
    { type: pkcs11.CKA_PRIVATE, value: boolValue(true) },
    { type: pkcs11.CKA_SENSITIVE, value: boolValue(true) },
    { type: pkcs11.CKA_EXTRACTABLE, value: boolValue(false) },
    { type: pkcs11.CKA_MODIFIABLE, value: boolValue(false) },
    { type: pkcs11.CKA_SIGN, value: boolValue(false) },
    { type: pkcs11.CKA_VERIFY, value: boolValue(false) },
    { type: pkcs11.CKA_WRAP, value: boolValue(false) },
    { type: pkcs11.CKA_UNWRAP, value: boolValue(false) },
  ];
}

function refuseSecond(session: TokenSession, id: MasterKeyId): void {
  if (hasKey(session, masterLabel(id)))
    throw new VaultError('refused', `${describeKey(id)} is in the token already`);
}

/** @throws VaultError `refused` for a rule that no key of this name can have */
function refuseMisfit(id: MasterKeyId, { diversifiedBy }: MasterRule): void {
  const app = id.purpose.startsWith('app/');
  const bare = diversifiedBy === 'none' && id.origin === 'issuer';
  if (bare || (app && !isOfApps(diversifiedBy)))
    throw new VaultError('refused', `${describeKey(id)} cannot be diversified by ${diversifiedBy}`);
}

/** Fixes the rule of a key that was just made. */
function fix(
  session: TokenSession,
  key: Handle,
  algorithm: KeyAlgorithm,
  id: MasterKeyId,
  rule: MasterRule,
): void {
  writeRule(session, id, rule, Buffer.from(checkValueOf(session, key, algorithm)).toString('hex'));
}

/**
 * Gives a master of an older program, or one of which the making was interrupted, the rule that it lacks.
 * @throws VaultError `refused` when it has one: what is fixed is never changed; `key-missing`
 */
export function setRule(bench: Pick<Workbench, 'session' | 'keys'>, id: MasterKeyId, rule: MasterRule): void {
  refuseMisfit(id, rule);
  const info = masterInfo(bench, id);
  if (info.rule !== null) throw new VaultError('refused', `${describeKey(id)} has its rule already`);
  writeRule(bench.session, id, rule, Buffer.from(info.checkValue).toString('hex'));
}

/** A new master, made by the token's own random generator. @throws VaultError `refused` when the name is taken */
export function generateMaster(
  session: TokenSession,
  id: MasterKeyId,
  algorithm: KeyAlgorithm,
  rule: MasterRule,
): void {
  refuseMisfit(id, rule);
  refuseSecond(session, id);
  const template: Template = masterAttributes(id, algorithm);
  if (algorithm !== 'des3-16') template.push({ type: pkcs11.CKA_VALUE_LEN, value: keyLength(algorithm) });
  const mechanism = algorithm === 'des3-16' ? pkcs11.CKM_DES2_KEY_GEN : pkcs11.CKM_AES_KEY_GEN;
  fix(session, session.p11.C_GenerateKey(session.handle, { mechanism }, template), algorithm, id, rule);
}

/** A transport key, from a buffer that is wiped. @throws VaultError `refused` when the name is taken */
export function importMaster(
  session: TokenSession,
  id: MasterKeyId,
  algorithm: KeyAlgorithm,
  value: Uint8Array,
  rule: MasterRule,
): void {
  const own = Buffer.from(value);
  try {
    refuseMisfit(id, rule);
    refuseSecond(session, id);
    if (own.length !== keyLength(algorithm))
      throw new VaultError('refused', `${describeKey(id)} is of another length than ${algorithm} keys`);
    const attributes = [...masterAttributes(id, algorithm), { type: pkcs11.CKA_VALUE, value: own }];
    fix(session, session.raw.createObject(session.handle, attributes), algorithm, id, rule);
  } finally {
    wipe(own, value);
  }
}

/** Makes the sealing key (AES-256) if there is none. */
export function ensureSealKey(session: TokenSession): void {
  if (hasKey(session, SEAL_LABEL)) return;
  const template: Template = [
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
    { type: pkcs11.CKA_KEY_TYPE, value: pkcs11.CKK_AES },
    { type: pkcs11.CKA_VALUE_LEN, value: AES_256_BYTES },
    { type: pkcs11.CKA_LABEL, value: SEAL_LABEL },
    { type: pkcs11.CKA_ID, value: keyId(SEAL_LABEL) },
    ...protectedAttributes(),
    { type: pkcs11.CKA_DERIVE, value: false },
    { type: pkcs11.CKA_ENCRYPT, value: true },
    { type: pkcs11.CKA_DECRYPT, value: true },
  ];
  session.p11.C_GenerateKey(session.handle, { mechanism: pkcs11.CKM_AES_KEY_GEN }, template);
}

/** Marks the token's keys as a demonstration's; once is enough. */
export function markDemo(session: TokenSession): void {
  if (isDemo(session)) return;
  session.p11.C_CreateObject(session.handle, [
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_DATA },
    { type: pkcs11.CKA_TOKEN, value: true },
    // Also to be seen without a login: whoever looks at the token is told.
    { type: pkcs11.CKA_PRIVATE, value: false },
    { type: pkcs11.CKA_MODIFIABLE, value: false },
    { type: pkcs11.CKA_LABEL, value: DEMO_LABEL },
    { type: pkcs11.CKA_APPLICATION, value: 'Kaika' },
    { type: pkcs11.CKA_VALUE, value: Buffer.from('demonstration keys') },
  ]);
}
