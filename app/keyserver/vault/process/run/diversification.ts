/**
 * A security domain's key on one card, derived in the token for the length of one call. Every diversification comes down to ECB
 * under the master, so masters need derive and nothing else, and a card's key never leaves the token.
 */
import type { Handle } from 'pkcs11js';
import { concat, wipe, xor } from '../../../../card/bytes.ts';
import { VaultError } from '../../error.ts';
import type { CardStatement, Diversification, DomainKeyRef, KeyAlgorithm } from '../../keys.ts';
import { describeKey, keyRole } from '../../keys.ts';
import {
  AES_BLOCK,
  asBuffer,
  type ChildUsage,
  DES_BLOCK,
  keyLength,
  type TokenSession,
} from '../token/session.ts';
import { pbocData } from './card-key.ts';
import { requireOfCard } from './one-card.ts';
import type { Workbench } from './workbench.ts';

/** Number of a key in the data it is diversified with, which is also its identifier on the card. */
const KEY_NUMBERS: Readonly<Record<string, number>> = { enc: 0x01, mac: 0x02, dek: 0x03 };

/** A key that may be used; `handle` is missing where it is the master itself, which may derive and nothing else. */
export interface DomainKey {
  readonly algorithm: KeyAlgorithm;
  readonly handle: Handle | undefined;
  /** CBC of whole blocks under the key, initial value 0; 3DES or AES, as the key is. */
  cbc(data: Uint8Array): Uint8Array;
  /** AES-CMAC, 16 bytes. */
  cmac(data: Uint8Array): Uint8Array;
}

/**
 * The key of the card that the call names, for the length of `work`.
 * @throws VaultError `key-missing`; `refused` when master and diversification do not fit; Pkcs11Error
 */
export function withDomainKey<T>(
  bench: Workbench,
  card: CardStatement,
  ref: DomainKeyRef,
  usage: ChildUsage,
  work: (key: DomainKey) => T,
): T {
  const { session } = bench;
  const master = bench.keys.master(session, ref.master);
  const { algorithm } = master;
  requireOfCard(bench, card, ref.master, ref.diversification);
  if (ref.diversification.kind === 'none') return work(masterItself(session, master.handle, algorithm));
  const data = derivationData(session, master.handle, algorithm, ref);
  return session.withDerived(master.handle, algorithm, data, usage, (handle) =>
    work(objectKey(session, handle, algorithm)),
  );
}

/** A key that is an object of the token. */
export function objectKey(session: TokenSession, handle: Handle, algorithm: KeyAlgorithm): DomainKey {
  return {
    algorithm,
    handle,
    cbc: (blocks) => cbcUnder(session, handle, algorithm, blocks),
    cmac: (message) => session.aesCmac(handle, asBuffer(message)),
  };
}

function cbcUnder(session: TokenSession, key: Handle, algorithm: KeyAlgorithm, data: Uint8Array): Uint8Array {
  return algorithm === 'des3-16'
    ? session.des3Cbc(key, Buffer.alloc(DES_BLOCK), asBuffer(data))
    : session.aesCbc(key, Buffer.alloc(AES_BLOCK), asBuffer(data));
}

/** What ECB under the master makes the card's key. @throws VaultError `refused` */
function derivationData(
  session: TokenSession,
  master: Handle,
  algorithm: KeyAlgorithm,
  ref: DomainKeyRef,
): Buffer {
  const { diversification } = ref;
  const number = KEY_NUMBERS[keyRole(ref.master).role];
  if (number === undefined || !fits(diversification.kind, algorithm))
    throw new VaultError(
      'refused',
      `${describeKey(ref.master)} is not diversified by ${diversification.kind}`,
    );
  switch (diversification.kind) {
    case 'none':
      throw new VaultError('refused', 'a key that is the master itself is not derived');
    case 'pboc':
      return pbocData(diversification.factor);
    case 'visa2':
      return twoHalves(pick(diversification.data, [0, 1, 4, 5, 6, 7]), number);
    case 'emv-cps':
      return twoHalves(pick(diversification.data, [4, 5, 6, 7, 8, 9]), number);
    case 'kdf3':
      return kdf3Data(session, master, algorithm, diversification.data, number);
  }
}

function fits(kind: Diversification['kind'], algorithm: KeyAlgorithm): boolean {
  switch (kind) {
    case 'none':
      return true;
    case 'pboc':
      return algorithm === 'des3-16' || algorithm === 'aes-128';
    case 'visa2':
    case 'emv-cps':
      return algorithm === 'des3-16';
    case 'kdf3':
      return algorithm !== 'des3-16';
  }
}

function pick(data: Uint8Array, places: readonly number[]): Uint8Array {
  return Uint8Array.from(places, (place) => data[place] ?? 0);
}

/** VISA2, and EMV Card Personalization Specification 1.1 §4.1: x ‖ F0 ‖ n for the left half, x ‖ 0F ‖ n for the right. */
function twoHalves(x: Uint8Array, number: number): Buffer {
  return asBuffer(concat(x, Uint8Array.of(0xf0, number), x, Uint8Array.of(0x0f, number)));
}

/**
 * KDF3: NIST SP 800-108 in counter mode over AES-CMAC, of counter ‖ 000000 ‖ n ‖ 00 ‖ diversification data. Each input is one whole
 * block, and CMAC of one whole block is ECB of that block with the subkey added (SP 800-38B §6.2): so it is a derivation.
 */
function kdf3Data(
  session: TokenSession,
  master: Handle,
  algorithm: KeyAlgorithm,
  data: Uint8Array,
  number: number,
): Buffer {
  const subkey = cmacSubkey(session, master, algorithm);
  const count = Math.ceil(keyLength(algorithm) / AES_BLOCK);
  const blocks = Array.from({ length: count }, (_, i) =>
    xor(concat(Uint8Array.of(i + 1, 0, 0, 0, number, 0), data), subkey),
  );
  wipe(subkey);
  return asBuffer(concat(...blocks));
}

/** K1 of CMAC (SP 800-38B §6.1). The caller wipes it. */
function cmacSubkey(session: TokenSession, master: Handle, algorithm: KeyAlgorithm): Uint8Array {
  const zero = session.deriveBytes(master, algorithm, Buffer.alloc(AES_BLOCK));
  const subkey = doubled(zero);
  wipe(zero);
  return subkey;
}

function doubled(block: Uint8Array): Uint8Array {
  const result = Uint8Array.from(block, (byte, i) => ((byte << 1) | ((block[i + 1] ?? 0) >> 7)) & 0xff);
  if (((block[0] ?? 0) & 0x80) !== 0) result[AES_BLOCK - 1] = (result[AES_BLOCK - 1] ?? 0) ^ 0x87;
  return result;
}

/** A master that is itself the card's key. The token lets it derive and nothing else, so each block is enciphered by deriving from it. */
function masterItself(session: TokenSession, master: Handle, algorithm: KeyAlgorithm): DomainKey {
  const blockLength = algorithm === 'des3-16' ? DES_BLOCK : AES_BLOCK;
  // Derived values have 16 bytes: one AES block, or a DES block and one that is not needed.
  const ecb = (block: Uint8Array): Uint8Array => {
    const data = Buffer.alloc(AES_BLOCK);
    data.set(block);
    const value = session.deriveBytes(master, algorithm, data);
    const result = Uint8Array.from(value.subarray(0, blockLength));
    wipe(value, data);
    return result;
  };
  const cbc = (data: Uint8Array): Uint8Array => {
    const blocks: Uint8Array[] = [];
    let chained: Uint8Array = new Uint8Array(blockLength);
    for (let at = 0; at < data.length; at += blockLength) {
      chained = ecb(xor(chained, data.slice(at, at + blockLength)));
      blocks.push(chained);
    }
    return concat(...blocks);
  };
  const cmac = (message: Uint8Array): Uint8Array => {
    const k1 = cmacSubkey(session, master, algorithm);
    const whole = message.length > 0 && message.length % AES_BLOCK === 0;
    const padded = new Uint8Array(
      whole ? message.length : (Math.floor(message.length / AES_BLOCK) + 1) * AES_BLOCK,
    );
    padded.set(message);
    if (!whole) padded[message.length] = 0x80;
    const last = padded.length - AES_BLOCK;
    const subkey = whole ? k1.slice() : doubled(k1);
    padded.set(xor(padded.slice(last), subkey), last);
    wipe(k1, subkey);
    return cbc(padded).slice(-AES_BLOCK);
  };
  return { algorithm, handle: undefined, cbc, cmac };
}
