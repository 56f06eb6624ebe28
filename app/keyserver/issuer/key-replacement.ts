/**
 * Whether a change of a security domain's keys can go as it is meant, by the card's own list of keys (GET DATA 00E0): a key that
 * is replaced keeps its type and length (GPC 2.3.1 §11.8.2.3), and one that is added finds its place free. Asked before anything is
 * written. Pure.
 */

import { fromHex } from '../../card/bytes.ts';
import type { DomainAlgorithm } from '../../catalogue/domain-schema.ts';
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { GpFormatError } from '../../globalplatform/errors.ts';
import { type KeyInformation, parseKeyInformation } from '../../globalplatform/key-information.ts';
import { type KeyKind, keyKind } from '../../globalplatform/put-key.ts';
import type { DomainKeySet } from './domain-keys.ts';

const SIZES: Readonly<Record<DomainAlgorithm, { readonly kind: KeyKind; readonly length: number }>> = {
  'des3-16': { kind: 'des', length: 16 },
  'aes-128': { kind: 'aes', length: 16 },
  'aes-192': { kind: 'aes', length: 24 },
  'aes-256': { kind: 'aes', length: 32 },
};
/** ENC, MAC and DEK. */
const KEY_IDS: readonly number[] = [1, 2, 3];

/** What speaks against it, without key data; undefined also where the card does not tell its keys. */
export function speaksAgainstMove(
  domain: NonNullable<CardTypeProfile['securityDomain']>,
  from: DomainKeySet,
  to: DomainKeySet,
  keyInformation: string | undefined,
): string | undefined {
  const keys = listed(keyInformation).filter(({ keyId }) => KEY_IDS.includes(keyId));
  if (domain.issuerKeys?.put !== 'replace')
    return keys.some((key) => key.keyVersion === to.keyVersion)
      ? `the card has keys of version ${hex(to.keyVersion)} already`
      : undefined;
  const other = keys.find((key) => key.keyVersion === from.keyVersion && !fits(key, domain.algorithm));
  return other === undefined
    ? undefined
    : `key ${other.keyId} of version ${hex(from.keyVersion)} is not ${domain.algorithm}, and would stay what it is`;
}

function listed(keyInformation: string | undefined): KeyInformation[] {
  if (keyInformation === undefined) return [];
  try {
    return parseKeyInformation(fromHex(keyInformation));
  } catch (error) {
    if (error instanceof GpFormatError) return [];
    throw error;
  }
}

function fits({ components }: KeyInformation, algorithm: DomainAlgorithm): boolean {
  const { kind, length } = SIZES[algorithm];
  return components.every((one) => keyKind(one.type) === kind && one.length === length);
}

function hex(version: number): string {
  return version.toString(16).toUpperCase().padStart(2, '0');
}
