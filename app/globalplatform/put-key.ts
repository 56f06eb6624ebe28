/** PUT KEY: keys that are wrapped already become one command, and what the card must answer to it (GPC 2.3.1 §11.8, Amendment D §7.2). */
import type { CommandApdu } from '../card/apdu.ts';
import { concat } from '../card/bytes.ts';

/** Key types that a security domain's channel keys have (GPC 2.3.1 table 11-16); DES in any mode is read. */
const KEY_TYPES = { des: 0x80, aes: 0x88 } as const;
const DES_TYPES = [0x80, 0x82, 0x83, 0x84];
export type KeyKind = keyof typeof KEY_TYPES;

/** Bytes of a key check value. */
export const CHECK_VALUE_LENGTH = 3;

/** A key as it travels: enciphered under the DEK, in whole blocks, with its check value. */
export interface WrappedKey {
  readonly kind: KeyKind;
  /** Bytes of the clear key: 16 for DES; 16, 24 or 32 for AES. */
  readonly length: number;
  readonly cipher: Uint8Array;
  readonly checkValue: Uint8Array;
}

/**
 * How an AES key is written: with the length of the clear key before the cipher (`88 11 10 …`, GPC 2.3.1 table 11-68), or as
 * older cards have it, without (`88 10 …`). DES keys have one form.
 */
export type AesKeyForm = 'with-length' | 'without-length';

/** What one PUT KEY is to do. */
interface PutKeyRequest {
  /** Version number that the keys have afterwards, 01 to 7F. */
  readonly newVersion: number;
  /** Version of the set that is replaced; left out, the keys are added. */
  readonly replaces?: number;
  /** Identifier of the first key, the others follow it; 01 when left out (ENC 1, MAC 2, DEK 3). */
  readonly firstKeyId?: number;
  readonly keys: readonly WrappedKey[];
  /** Default `with-length`. */
  readonly aesKeyForm?: AesKeyForm;
}

/** PUT KEY, format 1, of one key or of several that the card takes together or not at all. @throws RangeError */
export function putKey(request: PutKeyRequest): CommandApdu {
  const { newVersion, replaces = 0x00, firstKeyId = 0x01, keys, aesKeyForm = 'with-length' } = request;
  if (!isNumber(newVersion, 0x01, 0x7f)) throw new RangeError('new key version number outside 01..7F');
  if (!isNumber(replaces, 0x00, 0x7f)) throw new RangeError('key version number to replace outside 01..7F');
  if (!isNumber(firstKeyId, 0x00, 0x7f)) throw new RangeError('key identifier outside 00..7F');
  if (keys.length === 0) throw new RangeError('PUT KEY without a key');
  const data = concat(Uint8Array.of(newVersion), ...keys.map((key) => keyField(key, aesKeyForm)));
  if (data.length > 255) throw new RangeError('PUT KEY data longer than 255 bytes');
  const several = keys.length > 1 ? 0x80 : 0x00;
  return { cla: 0x80, ins: 0xd8, p1: replaces, p2: several | firstKeyId, data, le: 256 };
}

/**
 * What the card answers when it has exactly these keys: their version number, and the check values that it reckoned itself (GPC 2.3.1
 * §11.8.3.1). Any other answer means that it may hold other keys than were meant.
 */
export function putKeyAnswer(newVersion: number, keys: readonly WrappedKey[]): Uint8Array {
  return concat(Uint8Array.of(newVersion), ...keys.map((key) => key.checkValue));
}

const AES_BLOCK = 16;

function keyField(key: WrappedKey, form: AesKeyForm): Uint8Array {
  if (key.checkValue.length !== CHECK_VALUE_LENGTH)
    throw new RangeError('check value of another length than 3');
  if (key.cipher.length !== cipherLength(key.kind, key.length))
    throw new RangeError('wrapped key of another length');
  const clearLength =
    key.kind === 'aes' && form === 'with-length' ? Uint8Array.of(key.length) : new Uint8Array(0);
  const body = concat(clearLength, key.cipher);
  return concat(
    Uint8Array.of(KEY_TYPES[key.kind], body.length),
    body,
    Uint8Array.of(key.checkValue.length),
    key.checkValue,
  );
}

/** Bytes of cipher that a clear key of `length` bytes gives; NaN when there is no such key. */
function cipherLength(kind: KeyKind, length: number): number {
  if (kind === 'des') return length === 16 || length === 24 ? length : Number.NaN;
  return [16, 24, 32].includes(length) ? Math.ceil(length / AES_BLOCK) * AES_BLOCK : Number.NaN;
}

/** The kind that a key type names; undefined for one that is none of a channel's keys. */
export function keyKind(type: number): KeyKind | undefined {
  if (type === KEY_TYPES.aes) return 'aes';
  return DES_TYPES.includes(type) ? 'des' : undefined;
}

function isNumber(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
