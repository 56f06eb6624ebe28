/** Reading the fields of content management commands. */
import { toHex } from '../../card/bytes.ts';
import { readTlvs, type Tlv, TlvError } from '../../card/tlv.ts';
import { Refusal, SW } from '../status-words.ts';

/**
 * A BER length in any legal form: shortest or not, up to 4 bytes.
 * @returns undefined when bytes are missing.
 * @throws Refusal 6A80 on an illegal form
 */
export function readBerLength(bytes: Uint8Array, at: number): { value: number; next: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  if (first < 0x80) return { value: first, next: at + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw new Refusal(SW.wrongData);
  if (bytes.length < at + 1 + count) return undefined;
  const value = bytes.slice(at + 1, at + 1 + count).reduce((sum, byte) => sum * 256 + byte, 0);
  return { value, next: at + 1 + count };
}

/**
 * Exactly `count` length-value fields.
 * @throws Refusal 6A80 when there are fewer, or bytes after them
 */
export function readFields(data: Uint8Array | undefined, count: number): Uint8Array[] {
  if (data === undefined) throw new Refusal(SW.wrongLength);
  const fields: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    const length = readBerLength(data, at);
    if (length === undefined || length.next + length.value > data.length) throw new Refusal(SW.wrongData);
    fields.push(data.slice(length.next, length.next + length.value));
    at = length.next + length.value;
  }
  if (at !== data.length) throw new Refusal(SW.wrongData);
  return fields;
}

/** Data objects of a field. @throws Refusal 6A80 */
export function readObjects(bytes: Uint8Array): Tlv[] {
  try {
    return readTlvs(bytes);
  } catch (error) {
    if (error instanceof TlvError) throw new Refusal(SW.wrongData);
    throw error;
  }
}

/** An AID of 5 to 16 bytes as upper-case text. @throws Refusal 6A80 */
export function readAid(bytes: Uint8Array | undefined): string {
  if (bytes === undefined || bytes.length < 5 || bytes.length > 16) throw new Refusal(SW.wrongData);
  return toHex(bytes);
}

/** A declared need of memory under EF: 2 or 4 bytes; 0 when absent. @throws Refusal 6A80 */
export function declaredNeed(parameters: Uint8Array, tag: number): number {
  const system = readObjects(parameters).find((object) => object.tag === 0xef);
  const need = system && readObjects(system.value).find((object) => object.tag === tag)?.value;
  if (need === undefined) return 0;
  if (need.length !== 2 && need.length !== 4) throw new Refusal(SW.wrongData);
  return need.reduce((sum, byte) => sum * 256 + byte, 0);
}
