/** PUT KEY: keys already wrapped become one command, and what it and its answer say is read (GPC 2.3.1 §11.8, Amendment D §7.2). */
import type { CommandApdu } from '../card/apdu.ts';
import { concat, equalBytes } from '../card/bytes.ts';
import { GpFormatError } from './errors.ts';

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
export interface PutKeyRequest {
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

/** What the card says when it has the keys: their version number and check values (GPC 2.3.1 §11.8.3.1). */
export function putKeyAnswer(newVersion: number, keys: readonly WrappedKey[]): Uint8Array {
  return concat(Uint8Array.of(newVersion), ...keys.map((key) => key.checkValue));
}

/** What a PUT KEY carries, read from its data field; `form` of the AES keys in it, absent where there are none. */
export interface PutKeyData {
  readonly newVersion: number;
  readonly keys: readonly WrappedKey[];
  readonly aesKeyForm?: AesKeyForm;
}

/**
 * Reads a PUT KEY's data field, AES keys in either form.
 * @throws GpFormatError when it is not of format 1 or holds other keys than DES and AES.
 */
export function parsePutKey(data: Uint8Array): PutKeyData {
  const newVersion = data[0];
  if (newVersion === undefined) throw new GpFormatError(DATA, 'empty', 0);
  const keys: WrappedKey[] = [];
  const forms = new Set<AesKeyForm>();
  let at = 1;
  while (at < data.length) {
    const field = readField(data, at);
    const { key, form } = keyOf(field, at);
    keys.push(key);
    if (form !== undefined) forms.add(form);
    at = field.next;
  }
  if (keys.length === 0) throw new GpFormatError(DATA, 'without a key', data.length);
  if (forms.size > 1) throw new GpFormatError(DATA, 'AES keys in two forms', 1);
  const [aesKeyForm] = forms;
  return aesKeyForm === undefined ? { newVersion, keys } : { newVersion, keys, aesKeyForm };
}

/**
 * Reads the answer to a PUT KEY of `count` keys.
 * @throws GpFormatError when it is not a version number followed by that many check values.
 */
export function parsePutKeyAnswer(
  data: Uint8Array,
  count: number,
): { readonly version: number; readonly checkValues: readonly Uint8Array[] } {
  const what = 'PUT KEY answer';
  const version = data[0];
  if (version === undefined) throw new GpFormatError(what, 'empty', 0);
  if (data.length !== 1 + count * CHECK_VALUE_LENGTH)
    throw new GpFormatError(what, `not ${count} check values`, data.length);
  const checkValues = Array.from({ length: count }, (_, i) =>
    data.slice(1 + i * CHECK_VALUE_LENGTH, 1 + (i + 1) * CHECK_VALUE_LENGTH),
  );
  return { version, checkValues };
}

/** Whether the card confirms exactly these keys. */
export function confirmsKeys(answer: Uint8Array, newVersion: number, keys: readonly WrappedKey[]): boolean {
  return equalBytes(answer, putKeyAnswer(newVersion, keys));
}

const DATA = 'PUT KEY data';
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

interface Field {
  readonly type: number;
  readonly body: Uint8Array;
  readonly checkValue: Uint8Array;
  readonly next: number;
}

/** Key type, length and value, length and value of the check. Keys of our kinds are short: lengths have one byte. */
function readField(data: Uint8Array, at: number): Field {
  const [type, length] = data.slice(at, at + 2);
  if (type === undefined || length === undefined) throw new GpFormatError(DATA, 'key cut short', at);
  if (length > 0x7f) throw new GpFormatError(DATA, 'key longer than we read', at + 1);
  const check = at + 2 + length;
  const checkLength = data[check];
  const next = check + 1 + (checkLength ?? 0);
  if (checkLength === undefined || next > data.length) throw new GpFormatError(DATA, 'key cut short', at);
  return {
    type,
    body: data.slice(at + 2, check),
    checkValue: data.slice(check + 1, next),
    next,
  };
}

function keyOf(field: Field, at: number): { readonly key: WrappedKey; readonly form?: AesKeyForm } {
  const { body, checkValue } = field;
  if (checkValue.length !== 0 && checkValue.length !== CHECK_VALUE_LENGTH)
    throw new GpFormatError(DATA, 'check value of another length than 3', at);
  const kind = keyKind(field.type);
  if (kind === undefined) throw new GpFormatError(DATA, 'neither a DES nor an AES key', at);
  // Whole blocks alone are the older form; one byte more is the length of the clear key (table 11-70).
  if (body.length === cipherLength(kind, body.length)) {
    const key = { kind, length: body.length, cipher: body, checkValue };
    return kind === 'aes' ? { key, form: 'without-length' } : { key };
  }
  const length = body[0] ?? 0;
  if (body.length - 1 !== cipherLength('aes', length))
    throw new GpFormatError(DATA, `${kind === 'aes' ? 'AES' : 'DES'} key of another length`, at + 1);
  const key = { kind, length, cipher: body.slice(1), checkValue };
  return kind === 'aes' ? { key, form: 'with-length' } : { key };
}

/** The kind that a key type names; undefined for one that is none of a channel's keys. */
export function keyKind(type: number): KeyKind | undefined {
  if (type === KEY_TYPES.aes) return 'aes';
  return DES_TYPES.includes(type) ? 'des' : undefined;
}

function isNumber(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
