/** Names of keys in the token: CKA_LABEL `kaika:<purpose>:<origin>:<version>`, and what each key may be used for. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { MasterKeyId } from './port.ts';

const PREFIX = 'kaika';
const PURPOSE = /^[a-z0-9][a-z0-9-]*(?:\/[a-z0-9][a-z0-9-]*){1,5}$/;

/** CKA_LABEL of the key that seals bytes for the store. */
export const SEAL_LABEL = `${PREFIX}:seal`;

/** CKA_LABEL of the object that marks a token's keys as a demonstration's. */
export const DEMO_LABEL = `${PREFIX}:demo`;

/** A master key's name, checked. */
export const masterKeyIdSchema = z.strictObject({
  purpose: z.string().max(120).regex(PURPOSE),
  origin: z.enum(['factory', 'issuer']),
  version: z.int().min(1).max(65_535),
});

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

/** How errors and logs name a master key. */
export function describeKey(id: MasterKeyId): string {
  return `${id.purpose} (${id.origin}, version ${id.version})`;
}

/** What the last word of a purpose says the key is for. */
export type KeyRole = 'mck' | 'mtk' | 'enc' | 'mac' | 'dek';

/** Owner and role of a purpose: `app/e-wallet/mck` is the mck of `app/e-wallet`. */
export function keyRole(id: MasterKeyId): { readonly owner: string; readonly role: string } {
  const end = id.purpose.lastIndexOf('/');
  return { owner: id.purpose.slice(0, end), role: id.purpose.slice(end + 1) };
}
