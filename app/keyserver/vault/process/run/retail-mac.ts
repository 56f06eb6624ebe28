/** ISO/IEC 9797-1 MAC algorithm 3 ("retail MAC") with padding method 2, on tokens that have 3DES only. */
import type { Handle } from 'pkcs11js';
import { concat, xor } from '../../../../card/bytes.ts';
import { asBuffer, DES_BLOCK, type TokenSession } from '../token/session.ts';

/** Padding method 2: 80, then 00 up to whole blocks; always at least one byte. */
export function padMethod2(message: Uint8Array, block: number): Uint8Array {
  const padded = new Uint8Array((Math.floor(message.length / block) + 1) * block);
  padded.set(message);
  padded[message.length] = 0x80;
  return padded;
}

/**
 * The 8-byte MAC: DES-CBC with the left half up to the block before the last, the last block 3DES.
 * `key` is the two-key 3DES key, `leftHalf` its left half twice (3DES under it is single DES); both may encrypt.
 */
export function retailMac(
  session: TokenSession,
  key: Handle,
  leftHalf: Handle,
  iv: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  const padded = padMethod2(message, DES_BLOCK);
  const start = padded.subarray(0, -DES_BLOCK);
  const last = padded.subarray(-DES_BLOCK);
  const chained =
    start.length === 0
      ? iv
      : session.des3Cbc(leftHalf, asBuffer(iv), asBuffer(start)).subarray(start.length - DES_BLOCK);
  return session.des3Ecb(key, asBuffer(xor(concat(chained), last)));
}
