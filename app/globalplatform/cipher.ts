/** One call into node:crypto, its intermediate buffers wiped. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concat, wipe } from '../card/bytes.ts';

/** Enciphers whole blocks, without padding. `iv` is null for ECB. */
export function encipher(
  algorithm: string,
  key: Uint8Array,
  iv: Uint8Array | null,
  data: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(algorithm, key, iv).setAutoPadding(false);
  return joined(cipher.update(data), cipher.final());
}

/** Deciphers whole blocks, without removing padding. `iv` is null for ECB. */
export function decipher(
  algorithm: string,
  key: Uint8Array,
  iv: Uint8Array | null,
  data: Uint8Array,
): Uint8Array {
  const cipher = createDecipheriv(algorithm, key, iv).setAutoPadding(false);
  return joined(cipher.update(data), cipher.final());
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = concat(...parts);
  wipe(...parts);
  return whole;
}
