/**
 * The card's own cryptography over node:crypto, written from the standards and shared with nothing of the host side.
 * Two-key 3DES is K1|K2|K1 and single DES K|K|K under OpenSSL's des-ede3, which has no plain DES any more.
 */
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { concat, xor } from '../card/bytes.ts';

const ZERO8 = new Uint8Array(8);
const ZERO16 = new Uint8Array(16);

/** Data followed by 80 and as few 00 as fill the block (ISO/IEC 9797-1 padding method 2). */
export function pad80(data: Uint8Array, block: 8 | 16): Uint8Array {
  const padded = new Uint8Array((Math.floor(data.length / block) + 1) * block);
  padded.set(data);
  padded[data.length] = 0x80;
  return padded;
}

/** Data without its 80 00… padding; undefined when there is none. */
export function unpad80(padded: Uint8Array): Uint8Array | undefined {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end -= 1;
  return end >= 0 && padded[end] === 0x80 ? padded.slice(0, end) : undefined;
}

/** 8-byte (single DES) or 16-byte (two-key 3DES) key as the 24 bytes des-ede3 takes. */
function des3Key(key: Uint8Array): Uint8Array {
  if (key.length === 8) return concat(key, key, key);
  if (key.length === 16) return concat(key, key.slice(0, 8));
  throw new RangeError('a DES key has 8 or 16 bytes');
}

function run(
  direction: 'encrypt' | 'decrypt',
  cipher: string,
  key: Uint8Array,
  iv: Uint8Array | null,
  data: Uint8Array,
): Uint8Array {
  // As a key object: Node takes three times as long over a key's bare bytes, and a card has a new key at every turn.
  const object = createSecretKey(key);
  const engine =
    direction === 'encrypt' ? createCipheriv(cipher, object, iv) : createDecipheriv(cipher, object, iv);
  engine.setAutoPadding(false);
  return new Uint8Array(Buffer.concat([engine.update(data), engine.final()]));
}

/** DES or two-key 3DES, ECB; whole blocks. */
export function desEcbEncrypt(key: Uint8Array, data: Uint8Array): Uint8Array {
  return run('encrypt', 'des-ede3', des3Key(key), null, data);
}

/** DES or two-key 3DES, ECB; whole blocks. */
export function desEcbDecrypt(key: Uint8Array, data: Uint8Array): Uint8Array {
  return run('decrypt', 'des-ede3', des3Key(key), null, data);
}

/** DES or two-key 3DES, CBC; whole blocks. */
export function desCbcEncrypt(key: Uint8Array, data: Uint8Array, iv: Uint8Array = ZERO8): Uint8Array {
  return run('encrypt', 'des-ede3-cbc', des3Key(key), iv, data);
}

/** DES or two-key 3DES, CBC; whole blocks. */
export function desCbcDecrypt(key: Uint8Array, data: Uint8Array, iv: Uint8Array = ZERO8): Uint8Array {
  return run('decrypt', 'des-ede3-cbc', des3Key(key), iv, data);
}

/**
 * MAC over `message`, padded 80 00…: ISO/IEC 9797-1 algorithm 3 for a 16-byte key (DES-CBC under its left half, the
 * last block 3DES), algorithm 1 (DES-CBC) for an 8-byte key. 8 bytes.
 */
export function desMac(key: Uint8Array, message: Uint8Array, iv: Uint8Array = ZERO8): Uint8Array {
  const padded = pad80(message, 8);
  const before = padded.slice(0, padded.length - 8);
  const last = padded.slice(padded.length - 8);
  const chained =
    before.length === 0 ? iv : desCbcEncrypt(key.slice(0, 8), before, iv).slice(before.length - 8);
  return desEcbEncrypt(key, xor(last, chained));
}

/** MAC of full 3DES-CBC, the last block (GPC 2.3.1 B.1.2.1). */
export function fullDes3Mac(key: Uint8Array, message: Uint8Array): Uint8Array {
  return desCbcEncrypt(key, pad80(message, 8)).slice(-8);
}

function aes(key: Uint8Array, mode: 'ecb' | 'cbc'): string {
  return `aes-${key.length * 8}-${mode}`;
}

/** AES, ECB; whole blocks. */
export function aesEcbEncrypt(key: Uint8Array, data: Uint8Array): Uint8Array {
  return run('encrypt', aes(key, 'ecb'), key, null, data);
}

/** AES, CBC; whole blocks. */
export function aesCbcEncrypt(key: Uint8Array, data: Uint8Array, iv: Uint8Array = ZERO16): Uint8Array {
  return run('encrypt', aes(key, 'cbc'), key, iv, data);
}

/** AES, CBC; whole blocks. */
export function aesCbcDecrypt(key: Uint8Array, data: Uint8Array, iv: Uint8Array = ZERO16): Uint8Array {
  return run('decrypt', aes(key, 'cbc'), key, iv, data);
}

/** The block times x in GF(2^128) (NIST SP 800-38B §6.1). */
function doubled(block: Uint8Array): Uint8Array {
  const shifted = block.map((byte, i) => ((byte << 1) & 0xff) | ((block[i + 1] ?? 0) >> 7));
  if (((block[0] ?? 0) & 0x80) !== 0) shifted[15] = (shifted[15] ?? 0) ^ 0x87;
  return shifted;
}

/** AES-CMAC, 16 bytes (NIST SP 800-38B). */
export function aesCmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const k1 = doubled(aesEcbEncrypt(key, ZERO16));
  const whole = message.length > 0 && message.length % 16 === 0;
  const padded = whole ? message.slice() : pad80(message, 16);
  const start = padded.length - 16;
  padded.set(xor(padded.slice(start), whole ? k1 : doubled(k1)), start);
  return aesCbcEncrypt(key, padded).slice(-16);
}

/** Algorithm of a key kept on the card. */
export type KeyKind = 'des3' | 'aes';

/** GP key check value, 3 bytes: DES over 00…, AES over 01… (GPC 2.3.1 B.6, Amendment D §4.1.4). */
export function keyCheckValue(kind: KeyKind, key: Uint8Array): Uint8Array {
  return kind === 'des3'
    ? desEcbEncrypt(key, ZERO8).slice(0, 3)
    : aesEcbEncrypt(key, new Uint8Array(16).fill(1)).slice(0, 3);
}
