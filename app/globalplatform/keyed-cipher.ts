/**
 * A block cipher whose key is set up once and used for many commands: setting a key up takes several times as long as enciphering
 * a command. Whole blocks, no padding. The key's copy inside OpenSSL is overwritten by `close`.
 */
import { type Cipheriv, createCipheriv, createDecipheriv, type Decipheriv } from 'node:crypto';
import { concat, wipe } from '../card/bytes.ts';
import { ChannelStateError } from './errors.ts';

/** `aes` with keys of 16, 24 or 32 bytes; `des-ede3` with 24. */
type CipherFamily = 'aes' | 'des-ede3';

export class KeyedCipher {
  readonly #key: Uint8Array;
  readonly #family: CipherFamily;
  readonly #block: number;
  #closed = false;
  #ecb: Cipheriv | undefined;
  #cbc: Cipheriv | undefined;
  #cbcDecipher: Decipheriv | undefined;
  /** The last block of ciphertext that each chain has seen: what it would add to its next one. */
  #chained: Uint8Array;
  #dechained: Uint8Array;

  /** Takes its own copy of the key. */
  constructor(family: CipherFamily, key: Uint8Array) {
    this.#family = family;
    this.#block = family === 'aes' ? 16 : 8;
    this.#key = key.slice();
    this.#chained = new Uint8Array(this.#block);
    this.#dechained = new Uint8Array(this.#block);
  }

  /** Enciphers, each block by itself. */
  ecb(data: Uint8Array): Uint8Array {
    this.#expectBlocks(data);
    this.#ecb ??= createCipheriv(this.#name('ecb'), this.#key, null).setAutoPadding(false);
    return own(this.#ecb.update(data));
  }

  /** Enciphers in CBC from `iv`. */
  cbc(data: Uint8Array, iv: Uint8Array): Uint8Array {
    this.#expectBlocks(data);
    if (data.length === 0) return new Uint8Array(0);
    this.#cbc ??= createCipheriv(this.#name('cbc'), this.#key, new Uint8Array(this.#block)).setAutoPadding(
      false,
    );
    // The chain goes on by itself from one call to the next: what it adds is taken out, and the initial value put in.
    const first = data.slice();
    for (let i = 0; i < this.#block; i += 1)
      first[i] = (first[i] ?? 0) ^ (this.#chained[i] ?? 0) ^ (iv[i] ?? 0);
    const result = own(this.#cbc.update(first));
    wipe(first);
    this.#chained = result.slice(-this.#block);
    return result;
  }

  /** Deciphers in CBC from `iv`. */
  cbcDecipher(data: Uint8Array, iv: Uint8Array): Uint8Array {
    this.#expectBlocks(data);
    if (data.length === 0) return new Uint8Array(0);
    this.#cbcDecipher ??= createDecipheriv(
      this.#name('cbc'),
      this.#key,
      new Uint8Array(this.#block),
    ).setAutoPadding(false);
    const result = own(this.#cbcDecipher.update(data));
    for (let i = 0; i < this.#block; i += 1)
      result[i] = (result[i] ?? 0) ^ (this.#dechained[i] ?? 0) ^ (iv[i] ?? 0);
    this.#dechained = data.slice(-this.#block);
    return result;
  }

  /** Overwrites the key. May be called again; nothing else may. */
  close(): void {
    this.#closed = true;
    wipe(this.#key);
    // `final` frees OpenSSL's context, which overwrites it; only whole blocks went in, so it gives nothing.
    for (const cipher of [this.#ecb, this.#cbc, this.#cbcDecipher]) cipher?.final();
    this.#ecb = undefined;
    this.#cbc = undefined;
    this.#cbcDecipher = undefined;
  }

  #name(mode: 'ecb' | 'cbc'): string {
    // OpenSSL's name of triple DES in ECB has no mode in it.
    if (this.#family === 'des-ede3') return mode === 'ecb' ? 'des-ede3' : 'des-ede3-cbc';
    return `aes-${this.#key.length * 8}-${mode}`;
  }

  #expectBlocks(data: Uint8Array): void {
    if (this.#closed) throw new ChannelStateError('the key is closed');
    if (data.length % this.#block !== 0) throw new RangeError('not whole blocks');
  }
}

/** The bytes in an array of their own: Node's may lie in a pool that others share. */
function own(bytes: Uint8Array): Uint8Array {
  const copy = concat(bytes);
  wipe(bytes);
  return copy;
}
