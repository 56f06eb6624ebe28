/** AES in the modes of SCP03, and AES-CMAC (NIST SP 800-38B). Keys of 16, 24 or 32 bytes. */
import { concat, wipe, xor } from '../card/bytes.ts';
import { decipher, encipher } from './cipher.ts';
import { pad80 } from './padding.ts';

const BLOCK = 16;
const ZERO = new Uint8Array(BLOCK);

/** Enciphers whole 16-byte blocks, ECB. */
export function aesEcb(key: Uint8Array, data: Uint8Array): Uint8Array {
  return encipher(`aes-${bits(key)}-ecb`, key, null, data);
}

/** Enciphers whole 16-byte blocks, CBC. */
export function aesCbc(key: Uint8Array, data: Uint8Array, iv: Uint8Array): Uint8Array {
  return encipher(`aes-${bits(key)}-cbc`, key, iv, data);
}

/** Deciphers whole 16-byte blocks, CBC. */
export function aesCbcDecipher(key: Uint8Array, data: Uint8Array, iv: Uint8Array): Uint8Array {
  return decipher(`aes-${bits(key)}-cbc`, key, iv, data);
}

/** AES-CMAC, all 16 bytes. */
export function aesCmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const zeroBlock = aesEcb(key, ZERO);
  const k1 = doubled(zeroBlock);
  const k2 = doubled(k1);
  const whole = message.length > 0 && message.length % BLOCK === 0;
  const padded = whole ? message.slice() : pad80(message, BLOCK);
  const last = padded.length - BLOCK;
  padded.set(xor(padded.slice(last), whole ? k1 : k2), last);
  const mac = aesCbc(key, padded, ZERO).slice(-BLOCK);
  wipe(zeroBlock, k1, k2, padded);
  return mac;
}

/**
 * Key derivation of SCP03 (Amendment D §4.1.5): NIST SP 800-108 in counter mode over AES-CMAC, with label = 11 zero bytes and
 * the constant, separation 00, length in bits, 1-byte counter, context.
 */
export function scp03Kdf(key: Uint8Array, constant: number, context: Uint8Array, bytes: number): Uint8Array {
  const label = new Uint8Array(12);
  label[11] = constant;
  const length = bytes * 8;
  const blocks: Uint8Array[] = [];
  for (let i = 1; i <= Math.ceil(bytes / BLOCK); i += 1)
    blocks.push(aesCmac(key, concat(label, Uint8Array.of(0, length >> 8, length & 0xff, i), context)));
  const whole = concat(...blocks);
  const derived = whole.slice(0, bytes);
  wipe(whole, ...blocks);
  return derived;
}

/** Multiplication by x in GF(2^128) (SP 800-38B §6.1). */
function doubled(block: Uint8Array): Uint8Array {
  const result = block.map((byte, i) => ((byte << 1) | ((block[i + 1] ?? 0) >> 7)) & 0xff);
  if (((block[0] ?? 0) & 0x80) !== 0) result[BLOCK - 1] = (result[BLOCK - 1] ?? 0) ^ 0x87;
  return result;
}

function bits(key: Uint8Array): 128 | 192 | 256 {
  switch (key.length) {
    case 16:
      return 128;
    case 24:
      return 192;
    case 32:
      return 256;
    default:
      throw new RangeError('AES key of another length than 16, 24 or 32');
  }
}
