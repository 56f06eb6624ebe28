/**
 * Two-key triple DES and the MACs built on it (ISO/IEC 9797-1, GPC 2.3.1 §B.1). Single DES runs as triple DES with one
 * key three times, because OpenSSL 3 offers DES itself only in its legacy provider.
 */
import { concat, wipe, xor } from '../card/bytes.ts';
import { KeyedCipher } from './keyed-cipher.ts';

const BLOCK = 8;
const ZERO = new Uint8Array(BLOCK);

/** A DES key in use: 8 bytes (single DES), 16 or 24. `close` it when done. */
export class DesKey {
  readonly #cipher: KeyedCipher;

  /** @throws RangeError */
  constructor(key: Uint8Array) {
    const triple = tripleKey(key);
    this.#cipher = new KeyedCipher('des-ede3', triple);
    wipe(triple);
  }

  ecb(data: Uint8Array): Uint8Array {
    return this.#cipher.ecb(data);
  }

  cbc(data: Uint8Array, iv: Uint8Array = ZERO): Uint8Array {
    return this.#cipher.cbc(data, iv);
  }

  cbcDecipher(data: Uint8Array, iv: Uint8Array = ZERO): Uint8Array {
    return this.#cipher.cbcDecipher(data, iv);
  }

  /** Overwrites the key. */
  close(): void {
    this.#cipher.close();
  }
}

/** A 16-byte key in use for retail MACs (ISO/IEC 9797-1 algorithm 3). `close` it when done. */
export class RetailMacKey {
  readonly #left: DesKey;
  readonly #whole: DesKey;

  /** @throws RangeError */
  constructor(key: Uint8Array) {
    if (key.length !== 16) throw new RangeError('retail MAC key of another length than 16');
    const left = key.slice(0, BLOCK);
    this.#left = new DesKey(left);
    this.#whole = new DesKey(key);
    wipe(left);
  }

  /** 8 bytes: DES-CBC under the left half, the last block under the whole key. `data` is padded already, at least one block. */
  mac(data: Uint8Array, iv: Uint8Array = ZERO): Uint8Array {
    if (data.length === 0 || data.length % BLOCK !== 0) throw new RangeError('retail MAC over broken blocks');
    const body = data.subarray(0, -BLOCK);
    const chained = body.length === 0 ? iv : this.#left.cbc(body, iv).slice(-BLOCK);
    return this.#whole.ecb(xor(chained, data.subarray(-BLOCK)));
  }

  /** Single DES of one block under the left half: how SCP02 enciphers an initial value. */
  leftEcb(block: Uint8Array): Uint8Array {
    return this.#left.ecb(block);
  }

  /** Overwrites the key. */
  close(): void {
    this.#left.close();
    this.#whole.close();
  }
}

/** Last block of CBC over padded `data`: full triple DES MAC for 16-byte keys (ISO/IEC 9797-1 algorithm 1), DES-CBC MAC for 8. */
export function desCbcMac(key: Uint8Array, data: Uint8Array, iv: Uint8Array = ZERO): Uint8Array {
  return withDes(key, (des) => des.cbc(data, iv)).slice(-BLOCK);
}

/** Retail MAC, see `RetailMacKey`. */
export function retailMac(key: Uint8Array, data: Uint8Array, iv: Uint8Array = ZERO): Uint8Array {
  const retail = new RetailMacKey(key);
  try {
    return retail.mac(data, iv);
  } finally {
    retail.close();
  }
}

function withDes<T>(key: Uint8Array, work: (des: DesKey) => T): T {
  const des = new DesKey(key);
  try {
    return work(des);
  } finally {
    des.close();
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
