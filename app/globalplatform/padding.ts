/** Padding of ISO/IEC 9797-1 method 2 (ISO/IEC 7816-4): one byte 80, then as few 00 as needed. */
import { concat } from '../card/bytes.ts';

/** `data` followed by 80 00… up to a multiple of `block` bytes; always at least one byte is added. */
export function pad80(data: Uint8Array, block: number): Uint8Array {
  const padding = new Uint8Array(block - (data.length % block));
  padding[0] = 0x80;
  return concat(data, padding);
}

/** The data before the padding, or undefined when there is none of the right form. */
export function unpad80(padded: Uint8Array): Uint8Array | undefined {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0x00) end -= 1;
  return end >= 0 && padded[end] === 0x80 ? padded.slice(0, end) : undefined;
}
