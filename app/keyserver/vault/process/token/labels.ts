/** Names of keys in the token: CKA_LABEL `kaika:<purpose>:<origin>:<version>`. */
import { createHash } from 'node:crypto';
import { type MasterKeyId, masterKeyIdSchema } from '../../keys.ts';

const PREFIX = 'kaika';

/** CKA_LABEL of the key that seals bytes for the store. */
export const SEAL_LABEL = `${PREFIX}:seal`;

/** CKA_LABEL of the object that marks a token's keys as a demonstration's. */
export const DEMO_LABEL = `${PREFIX}:demo`;

/** CKA_LABEL of the object that holds what is fixed with a master. */
export function ruleLabel(id: MasterKeyId): string {
  return `${PREFIX}:rule:${id.purpose}:${id.origin}:${id.version}`;
}

/** CKA_LABEL of a master key. */
export function masterLabel(id: MasterKeyId): string {
  return `${PREFIX}:${id.purpose}:${id.origin}:${id.version}`;
}

/** The master key a CKA_LABEL names; undefined when the object is not one of ours. */
export function parseMasterLabel(label: string): MasterKeyId | undefined {
  const [prefix, purpose, origin, version, ...rest] = label.split(':');
  if (prefix !== PREFIX || rest.length > 0 || version === undefined || !/^[1-9][0-9]*$/.test(version))
    return undefined;
  const id = masterKeyIdSchema.safeParse({ purpose, origin, version: Number(version) });
  return id.success ? id.data : undefined;
}

/** CKA_ID that goes with a label: the first 16 bytes of its SHA-256, because tokens limit the length. */
export function keyId(label: string): Buffer {
  return createHash('sha256').update(label).digest().subarray(0, 16);
}
