/**
 * The dialect's computations over key bytes, for tests that play the card or check what the vault made. The program itself never has key
 * bytes: the token computes for it. Written apart from the vault's code, so that both cannot share a mistake. Keys are DES keys of 8 or 16 bytes.
 */
import { concat, wipe } from '../../../app/card/bytes.ts';
import { FmcosFormatError } from '../../../app/dialects/fmcos/errors.ts';
import type { KeySlotHeader, KeyWriteRequest } from '../../../app/dialects/fmcos/keys.ts';
import { packedBcd } from '../../../app/dialects/fmcos/packed-bcd.ts';
import { desCbcMac, retailMac } from '../../../app/globalplatform/des.ts';
import { pad80 } from '../../../app/globalplatform/padding.ts';
import { aesEcb, desEcb } from '../globalplatform/ecb.ts';

const BLOCK = 8;

/** How a 16-byte key makes a MAC: ISO 9797-1 algorithm 3, or DES-CBC under its left half. A fact of the card type. */
type Mac16 = 'retail' | 'single-des';

/** What EXTERNAL AUTHENTICATE enciphers and a MAC starts from: 4 challenge bytes and 4 zeros, or 8 challenge bytes. */
function challengeBlock(challenge: Uint8Array): Uint8Array {
  if (challenge.length !== 4 && challenge.length !== 8)
    throw new FmcosFormatError('challenge', 'of another length than 4 or 8');
  return concat(challenge, new Uint8Array(BLOCK - challenge.length));
}

/** EXTERNAL AUTHENTICATE's data, 8 bytes: single DES under an 8-byte key, two-key triple DES under 16. */
export function authenticationCryptogram(key: Uint8Array, challenge: Uint8Array): Uint8Array {
  return desEcb(key, challengeBlock(challenge));
}

/**
 * Secure-messaging MAC, the first 4 bytes: from the challenge block, over the command header with the Lc it is sent with and
 * the data, always padded 80 00….
 */
export function secureMessagingMac(
  key: Uint8Array,
  challenge: Uint8Array,
  message: Uint8Array,
  mac16: Mac16 = 'retail',
): Uint8Array {
  const padded = pad80(message, BLOCK);
  const iv = challengeBlock(challenge);
  if (key.length === 16 && mac16 === 'retail') return retailMac(key, padded, iv).slice(0, 4);
  const left = key.slice(0, BLOCK);
  const mac = desCbcMac(left, padded, iv).slice(0, 4);
  wipe(left);
  return mac;
}

/** Secure-messaging plaintext: length byte, data, and 80 00… only where that is not a multiple of 8. */
export function encipherable(data: Uint8Array): Uint8Array {
  if (data.length > 255) throw new FmcosFormatError('secure messaging data', 'longer than 255', 255);
  const counted = concat(Uint8Array.of(data.length), data);
  if (counted.length % BLOCK === 0) return counted;
  const padded = pad80(counted, BLOCK);
  wipe(counted);
  return padded;
}

/** A key record: type, use right, change right, next state (36: FF), counter, key. */
export function keyRecord(header: KeySlotHeader, key: Uint8Array): Uint8Array {
  if (key.length !== 8 && key.length !== 16)
    throw new FmcosFormatError('key record', 'key of another length than 8 or 16');
  const { typeInside, useRight, changeRight, nextState, counter } = header;
  const bytes = [typeInside, useRight, changeRight, nextState, counter];
  if (bytes.some((byte) => !Number.isInteger(byte) || byte < 0 || byte > 0xff))
    throw new FmcosFormatError('key record', 'header field that is not a byte');
  // Without C0 the card would take every later write in clear.
  if (typeInside !== 0xf9 && typeInside !== 0xf6)
    throw new FmcosFormatError('key record', 'type that is neither F9 nor F6');
  return concat(Uint8Array.from(bytes), key);
}

/** Header of WRITE KEY (replace), encrypted and MACed, with its Lc. */
function keyWriteHeader(p1: number, keyId: number, length: number): Uint8Array {
  return Uint8Array.of(0x84, 0xd4, p1, keyId, length);
}

/**
 * WRITE KEY's data: the record enciphered under the existing key 39/00, and the MAC under the same key. Intermediate key bytes
 * are wiped; the keys given are the caller's.
 */
export function keyWriteData(request: KeyWriteRequest<Uint8Array>, mac16: Mac16 = 'retail'): Uint8Array {
  const { under, newKey, p1, keyId, header, challenge } = request;
  if (p1 !== (header.typeInside & 0x3f))
    throw new FmcosFormatError('key write', 'P1 and the type inside name different keys');
  const record = keyRecord(header, newKey);
  const plain = encipherable(record);
  const cipher = desEcb(under, plain);
  wipe(record, plain);
  const head = keyWriteHeader(p1, keyId, cipher.length + 4);
  return concat(cipher, secureMessagingMac(under, challenge, concat(head, cipher), mac16));
}

/**
 * PBOC key diversification: master(D) ‖ master(NOT D) for 16-byte 3DES masters; for AES-128 masters the same 16 bytes as one
 * block. `factor` is D, 8 bytes.
 */
export function diversify(
  master: Uint8Array,
  factor: Uint8Array,
  algorithm: 'des3-16' | 'aes-128' = 'des3-16',
): Uint8Array {
  if (factor.length !== BLOCK)
    throw new FmcosFormatError('diversification factor', 'of another length than 8');
  const input = concat(
    factor,
    factor.map((byte) => ~byte),
  );
  return algorithm === 'aes-128' ? aesEcb(master, input) : desEcb(master, input);
}

/**
 * D of an account or an identification code: the decimal digits as packed BCD, left-padded with 0, the last 8 bytes. Two cards
 * with the same D must be refused elsewhere: longer accounts may share it.
 */
export function accountFactor(account: string): Uint8Array {
  if (!/^[0-9]+$/.test(account)) throw new FmcosFormatError('account', 'not decimal digits');
  return packedBcd(account.slice(-2 * BLOCK), BLOCK, 'account');
}
