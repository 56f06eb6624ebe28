/**
 * What is fixed with each master: a data object of the token beside the key, `kaika:rule:<name of the key>`, which no call of the serving
 * process can write. It carries the key's check value, so that what was left behind by another key under the same name counts for nothing.
 */
import pkcs11 from 'pkcs11js';
import { z } from 'zod';
import { VaultError } from '../../error.ts';
import { describeKey, type MasterKeyId, type MasterRule, masterRuleSchema } from '../../keys.ts';
import { ruleLabel } from './labels.ts';
import type { TokenSession } from './session.ts';

const storedSchema = masterRuleSchema.extend({ checkValue: z.string() });

/** The rule of a master with this check value (hexadecimal); undefined where it has none. @throws VaultError `refused` for two */
export function readRule(session: TokenSession, id: MasterKeyId, checkValue: string): MasterRule | undefined {
  const found = session.find([
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_DATA },
    { type: pkcs11.CKA_TOKEN, value: true },
    { type: pkcs11.CKA_LABEL, value: ruleLabel(id) },
  ]);
  const rules = found.flatMap((object) => {
    const stored = parse(session.attribute(object, pkcs11.CKA_VALUE));
    if (stored?.checkValue !== checkValue) return [];
    const { diversifiedBy, records } = stored;
    return [{ diversifiedBy, records }];
  });
  if (rules.length > 1)
    throw new VaultError('refused', `${describeKey(id)} has more than one rule in the token`);
  return rules[0];
}

/** Writes a rule for good. The caller has seen that there is none. */
export function writeRule(
  session: TokenSession,
  id: MasterKeyId,
  rule: MasterRule,
  checkValue: string,
): void {
  session.p11.C_CreateObject(session.handle, [
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_DATA },
    { type: pkcs11.CKA_TOKEN, value: true },
    { type: pkcs11.CKA_PRIVATE, value: true },
    { type: pkcs11.CKA_MODIFIABLE, value: false },
    { type: pkcs11.CKA_LABEL, value: ruleLabel(id) },
    { type: pkcs11.CKA_APPLICATION, value: 'Kaika' },
    { type: pkcs11.CKA_VALUE, value: Buffer.from(JSON.stringify({ ...rule, checkValue })) },
  ]);
}

function parse(value: Buffer): z.infer<typeof storedSchema> | undefined {
  try {
    return storedSchema.parse(JSON.parse(value.toString()));
  } catch {
    // An object that is not ours, or damaged: the master has no rule then, and is refused.
    return undefined;
  }
}
