/**
 * Two-key triple DES and the MACs built on it (ISO/IEC 9797-1, GPC 2.3.1 §B.1). Single DES runs as triple DES with one
 * key three times, because OpenSSL 3 offers DES itself only in its legacy provider.
 */
import { concat, wipe, xor } from '../card/bytes.ts';
import { encipher } from './cipher.ts';

const BLOCK = 8;
const ZERO = new Uint8Array(BLOCK);

/** Enciphers whole 8-byte blocks, ECB; key of 8 (single DES), 16 or 24 bytes. */
export function desEcb(key: Uint8Array, data: Uint8Array): Uint8Array {
  return withTripleKey(key, (triple) => encipher('des-ede3', triple, null, data));
}

/** Enciphers whole 8-byte blocks, CBC; key of 8 (single DES), 16 or 24 bytes, IV zero when not given. */
export function desCbc(key: Uint8Array, data: Uint8Array, iv: Uint8Array = ZERO): Uint8Array {
  return withTripleKey(key, (triple) => encipher('des-ede3-cbc', triple, iv, data));
}

/** Last block of CBC over padded `data`: full triple DES MAC for 16-byte keys (ISO/IEC 9797-1 algorithm 1), DES-CBC MAC for 8. */
export function desCbcMac(key: Uint8Array, data: Uint8Array, iv: Uint8Array = ZERO): Uint8Array {
  return desCbc(key, data, iv).slice(-BLOCK);
}

/**
 * Retail MAC, 8 bytes: ISO/IEC 9797-1 algorithm 3. DES-CBC under the left half, the last block under the whole 16-byte key.
 * `data` is padded already, at least one block.
 */
export function retailMac(key: Uint8Array, data: Uint8Array, iv: Uint8Array = ZERO): Uint8Array {
  if (key.length !== 16) throw new RangeError('retail MAC key of another length than 16');
  if (data.length === 0 || data.length % BLOCK !== 0) throw new RangeError('retail MAC over broken blocks');
  const left = key.slice(0, BLOCK);
  const body = data.slice(0, -BLOCK);
  const chained = body.length === 0 ? iv : desCbcMac(left, body, iv);
  wipe(left);
  return desEcb(key, xor(chained, data.slice(-BLOCK)));
}

function withTripleKey(key: Uint8Array, use: (triple: Uint8Array) => Uint8Array): Uint8Array {
  const triple = tripleKey(key);
  try {
    return use(triple);
  } finally {
    wipe(triple);
  }
}

function tripleKey(key: Uint8Array): Uint8Array {
  switch (key.length) {
    case 8:
      return concat(key, key, key);
    case 16:
      return concat(key, key.subarray(0, 8));
    case 24:
      return key.slice();
    default:
      throw new RangeError('DES key of another length than 8, 16 or 24');
  }
}
