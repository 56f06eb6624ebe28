/** AES in the modes of SCP03, and AES-CMAC (NIST SP 800-38B). Keys of 16, 24 or 32 bytes. */
import { concat, wipe, xor } from '../card/bytes.ts';
import { KeyedCipher } from './keyed-cipher.ts';
import { pad80 } from './padding.ts';

const BLOCK = 16;
const ZERO = new Uint8Array(BLOCK);

/** An AES key in use: enciphers, deciphers and gives MACs. `close` it when done. */
export class AesKey {
  readonly #cipher: KeyedCipher;
  /** The subkeys of CMAC, once they are needed (SP 800-38B §6.1). */
  #subkeys: { readonly k1: Uint8Array; readonly k2: Uint8Array } | undefined;

  /** @throws RangeError */
  constructor(key: Uint8Array) {
    if (![16, 24, 32].includes(key.length))
      throw new RangeError('AES key of another length than 16, 24 or 32');
    this.#cipher = new KeyedCipher('aes', key);
  }

  ecb(data: Uint8Array): Uint8Array {
    return this.#cipher.ecb(data);
  }

  cbc(data: Uint8Array, iv: Uint8Array): Uint8Array {
    return this.#cipher.cbc(data, iv);
  }

  cbcDecipher(data: Uint8Array, iv: Uint8Array): Uint8Array {
    return this.#cipher.cbcDecipher(data, iv);
  }

  /** AES-CMAC, all 16 bytes. */
  cmac(message: Uint8Array): Uint8Array {
    const { k1, k2 } = this.#cmacKeys();
    const whole = message.length > 0 && message.length % BLOCK === 0;
    const padded = whole ? message.slice() : pad80(message, BLOCK);
    const last = padded.length - BLOCK;
    padded.set(xor(padded.subarray(last), whole ? k1 : k2), last);
    const mac = this.#cipher.cbc(padded, ZERO).slice(-BLOCK);
    wipe(padded);
    return mac;
  }

  /** Overwrites the key and what follows from it. */
  close(): void {
    this.#cipher.close();
    if (this.#subkeys !== undefined) wipe(this.#subkeys.k1, this.#subkeys.k2);
  }

  #cmacKeys(): { readonly k1: Uint8Array; readonly k2: Uint8Array } {
    if (this.#subkeys === undefined) {
      const zeroBlock = this.#cipher.ecb(ZERO);
      const k1 = doubled(zeroBlock);
      this.#subkeys = { k1, k2: doubled(k1) };
      wipe(zeroBlock);
    }
    return this.#subkeys;
  }
}

/**
 * Key derivation of NIST SP 800-108 in counter mode over AES-CMAC: each block is the MAC of `before`, a 1-byte counter from 1 on, and
 * `after`.
 */
export function counterKdf(
  key: Uint8Array,
  before: Uint8Array,
  after: Uint8Array,
  bytes: number,
): Uint8Array {
  return withAes(key, (aes) => {
    const blocks = Array.from({ length: Math.ceil(bytes / BLOCK) }, (_, i) =>
      aes.cmac(concat(before, Uint8Array.of(i + 1), after)),
    );
    const whole = concat(...blocks);
    const derived = whole.slice(0, bytes);
    wipe(whole, ...blocks);
    return derived;
  });
}

/** Key derivation of SCP03 (Amendment D §4.1.5): label = 11 zero bytes and the constant, separation 00, length in bits; the context. */
export function scp03Kdf(key: Uint8Array, constant: number, context: Uint8Array, bytes: number): Uint8Array {
  const label = new Uint8Array(12);
  label[11] = constant;
  const bits = bytes * 8;
  return counterKdf(key, concat(label, Uint8Array.of(0, bits >> 8, bits & 0xff)), context, bytes);
}

function withAes<T>(key: Uint8Array, work: (aes: AesKey) => T): T {
  const aes = new AesKey(key);
  try {
    return work(aes);
  } finally {
    aes.close();
  }
}

/** Multiplication by x in GF(2^128) (SP 800-38B §6.1). */
function doubled(block: Uint8Array): Uint8Array {
  const result = block.map((byte, i) => ((byte << 1) | ((block[i + 1] ?? 0) >> 7)) & 0xff);
  if (((block[0] ?? 0) & 0x80) !== 0) result[BLOCK - 1] = (result[BLOCK - 1] ?? 0) ^ 0x87;
  return result;
}
