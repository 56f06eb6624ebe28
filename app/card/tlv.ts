/** BER-TLV as smart cards use it (ISO/IEC 7816-4 §5.2.2, ISO/IEC 8825-1). Definite lengths only. */
import { concat } from './bytes.ts';

/** One data object. `tag` is the tag's bytes as a number: 0x4F, 0x9F70, 0x5F2D… */
export interface Tlv {
  readonly tag: number;
  readonly value: Uint8Array;
}

/** The bytes do not form data objects; `offset` is where that shows, counted from 0. */
export class TlvError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(`${message} at offset ${offset}`);
    this.name = 'TlvError';
    this.offset = offset;
  }
}

/** A constructed tag holds further data objects (ISO/IEC 7816-4 §5.2.2.1, bit 6 of the first byte). */
export function isConstructed(tag: number): boolean {
  const first = tag > 0xffff ? tag >> 16 : tag > 0xff ? tag >> 8 : tag;
  return (first & 0x20) !== 0;
}

/**
 * All data objects of `bytes`, one level deep. Bytes 00 and FF between objects are padding and passed over.
 * @throws TlvError on a truncated or over-long object, a tag of more than 3 bytes or a length of more than 4.
 */
export function readTlvs(bytes: Uint8Array): Tlv[] {
  const objects: Tlv[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] === 0x00 || bytes[at] === 0xff) {
      at += 1;
      continue;
    }
    const tag = readTag(bytes, at);
    const length = readLength(bytes, tag.next);
    if (length.next + length.value > bytes.length) throw new TlvError('value cut short', length.next);
    objects.push({ tag: tag.value, value: bytes.slice(length.next, length.next + length.value) });
    at = length.next + length.value;
  }
  return objects;
}

/** The first object under `path`, descending through constructed objects; undefined when there is none. */
export function findTlv(bytes: Uint8Array, ...path: readonly number[]): Uint8Array | undefined {
  let value: Uint8Array | undefined = bytes;
  for (const tag of path) {
    value = readTlvs(value).find((object) => object.tag === tag)?.value;
    if (value === undefined) return undefined;
  }
  return value;
}

/** The bytes of one data object, length in the shortest form. */
export function writeTlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const value = concat(...parts);
  return concat(tagBytes(tag), lengthBytes(value.length), value);
}

/** A BER length in its shortest form. */
export function lengthBytes(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  if (length < 0x100) return Uint8Array.of(0x81, length);
  if (length < 0x10000) return Uint8Array.of(0x82, length >> 8, length & 0xff);
  if (length < 0x1000000) return Uint8Array.of(0x83, length >> 16, (length >> 8) & 0xff, length & 0xff);
  throw new RangeError('length over 3 bytes');
}

function tagBytes(tag: number): Uint8Array {
  if (tag > 0xffff) return Uint8Array.of(tag >> 16, (tag >> 8) & 0xff, tag & 0xff);
  return tag > 0xff ? Uint8Array.of(tag >> 8, tag & 0xff) : Uint8Array.of(tag);
}

interface Read {
  readonly value: number;
  readonly next: number;
}

function readTag(bytes: Uint8Array, at: number): Read {
  const first = bytes[at] ?? 0;
  if ((first & 0x1f) !== 0x1f) return { value: first, next: at + 1 };
  let value = first;
  for (let i = at + 1; i < at + 3; i += 1) {
    const byte = bytes[i];
    if (byte === undefined) throw new TlvError('tag cut short', i);
    value = (value << 8) | byte;
    if ((byte & 0x80) === 0) return { value, next: i + 1 };
  }
  throw new TlvError('tag longer than 3 bytes', at);
}

function readLength(bytes: Uint8Array, at: number): Read {
  const first = bytes[at];
  if (first === undefined) throw new TlvError('length missing', at);
  if (first < 0x80) return { value: first, next: at + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw new TlvError('length form not supported', at);
  let value = 0;
  for (let i = at + 1; i <= at + count; i += 1) {
    const byte = bytes[i];
    if (byte === undefined) throw new TlvError('length cut short', i);
    value = value * 256 + byte;
  }
  return { value, next: at + 1 + count };
}
