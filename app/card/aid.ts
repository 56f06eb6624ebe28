/** Application identifiers (ISO/IEC 7816-4 §8.2.1.2): 5 to 16 bytes, kept as upper-case hexadecimal text. */
import { fromHex, toHex } from './bytes.ts';

/** An AID as upper-case hexadecimal text, 10 to 32 digits. */
export type Aid = string & { readonly __brand: 'Aid' };

/** Whether `text` is an AID. */
export function isAid(text: string): text is Aid {
  return /^(?:[0-9A-F]{2}){5,16}$/.test(text);
}

/**
 * Reads an AID from bytes or hexadecimal text.
 * @throws RangeError when it is not 5 to 16 bytes.
 */
export function toAid(value: Uint8Array | string): Aid {
  const text = typeof value === 'string' ? value.replace(/\s+/g, '').toUpperCase() : toHex(value);
  if (!isAid(text)) throw new RangeError('an AID has 5 to 16 bytes');
  return text;
}

/** The AID's bytes. */
export function aidBytes(aid: Aid): Uint8Array {
  return fromHex(aid);
}
