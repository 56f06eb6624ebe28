/** STORE DATA to a security domain, or to the application that INSTALL [for personalization] named (GPC 2.3.1 §11.11). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, toHex } from '../../card/bytes.ts';
import { isConstructed } from '../../card/tlv.ts';
import type { CardImage } from '../image.ts';
import { requireMemory } from '../memory.ts';
import type { SecurityDomain } from '../registry.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Storing, Turn } from '../turn.ts';
import { isTaken } from './content.ts';
import { readAid, readBerLength, readObjects } from './fields.ts';

const LAST = 0x80;
const ENCRYPTED = 0x60;
const STRUCTURE = { mask: 0x18, none: 0x00, dgi: 0x08, tlv: 0x10 } as const;
/** DGI that holds BER-TLV objects for a domain. */
const DOMAIN_OBJECTS = '0070';
/** Longest value that still fits an answer of GET DATA, protected. */
const MAX_OBJECT = 220;
/** Most of one structure that is kept while it arrives. */
const MAX_STRUCTURE = 2048;

/** Objects that can be stored: §11.11.2.3, and the production data that shop cards take in the same way. */
const ISSUER_TAGS: readonly number[] = [0x42, 0x45, 0x4f, 0x66, 0x67, 0x5f50, 0x9f66, 0x9f67];
const DOMAIN_TAGS: readonly number[] = [0x42, 0x45, 0x66, 0x5f50];

/** One structure of the data: a DGI or an object, its value in clear. */
interface Structure {
  /** DGI or tag as text. */
  readonly name: string;
  readonly value: Uint8Array;
}

/** STORE DATA: P1 last block, encryption and structure of the data; P2 the number of the block. */
export function storeData(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  const { volatile } = turn;
  const storing: Storing = volatile.storing ?? { target: undefined, nextBlock: 0, rest: new Uint8Array(0) };
  // A refused block ends the session.
  volatile.storing = undefined;
  if (command.p2 !== storing.nextBlock) throw new Refusal(SW.wrongP1P2);
  if (command.data === undefined) throw new Refusal(SW.wrongLength);
  const isLast = (command.p1 & LAST) !== 0;
  const bytes = concat(storing.rest, command.data);
  if (bytes.length > MAX_STRUCTURE) throw new Refusal(SW.memoryFull);
  const read = readStructures(turn, command, bytes, storing.target === undefined);
  if (isLast && read.rest.length > 0) throw new Refusal(SW.wrongData);
  if (storing.target === undefined) storeInDomain(turn, domain, read.structures);
  else storeInApplication(turn, storing.target, read.structures);
  if (!isLast) volatile.storing = { ...storing, nextBlock: storing.nextBlock + 1, rest: read.rest };
  return ok();
}

/** Whole structures, and the beginning of one that goes on in the next block. */
function readStructures(
  turn: Turn,
  command: CommandApdu,
  bytes: Uint8Array,
  forDomain: boolean,
): { structures: Structure[]; rest: Uint8Array } {
  const kind = command.p1 & STRUCTURE.mask;
  if (kind === STRUCTURE.mask) throw new Refusal(SW.wrongP1P2);
  // Without a word about the form a domain expects its own, and an application gets the block as it is.
  if (kind === STRUCTURE.none && !forDomain) {
    const name = command.p2.toString(16).toUpperCase().padStart(2, '0');
    return { structures: [{ name, value: command.data ?? bytes }], rest: new Uint8Array(0) };
  }
  const structures: Structure[] = [];
  let at = 0;
  while (at < bytes.length) {
    const next = kind === STRUCTURE.dgi ? dgiAt(bytes, at) : objectAt(bytes, at);
    if (next === undefined) break;
    const isSecret = (command.p1 & ENCRYPTED) === ENCRYPTED;
    structures.push({ name: next.name, value: isSecret ? decrypted(turn, next.value) : next.value });
    at = next.end;
  }
  return { structures, rest: bytes.slice(at) };
}

interface Found extends Structure {
  readonly end: number;
}

/** DGI, 2 bytes; length in one byte, or FF and two; value. Undefined while bytes are missing. */
function dgiAt(bytes: Uint8Array, at: number): Found | undefined {
  const [first, high = 0, low = 0] = bytes.slice(at + 2, at + 5);
  if (first === undefined) return undefined;
  const isLong = first === 0xff;
  const start = at + (isLong ? 5 : 3);
  const end = start + (isLong ? (high << 8) | low : first);
  if (start > bytes.length || end > bytes.length) return undefined;
  return { name: toHex(bytes.slice(at, at + 2)), value: bytes.slice(start, end), end };
}

/** One BER-TLV object; undefined while bytes are missing. */
function objectAt(bytes: Uint8Array, at: number): Found | undefined {
  const isLong = ((bytes[at] ?? 0) & 0x1f) === 0x1f;
  const after = at + (isLong ? 2 : 1);
  const length = readBerLength(bytes, after);
  if (length === undefined || length.next + length.value > bytes.length) return undefined;
  const end = length.next + length.value;
  return { name: toHex(bytes.slice(at, after)), value: bytes.slice(length.next, end), end };
}

/** Under the DEK of the session; whatever padding there is stays. */
function decrypted({ volatile }: Turn, value: Uint8Array): Uint8Array {
  if (volatile.channel === undefined) throw new Refusal(SW.securityStatus);
  return value.length === 0 ? value : volatile.channel.decryptKey(value);
}

function storeInDomain(turn: Turn, domain: SecurityDomain, structures: readonly Structure[]): void {
  for (const { name, value } of structures) {
    if (name === DOMAIN_OBJECTS)
      for (const object of readObjects(value)) storeObject(turn, domain, object.tag, object.value);
    else storeObject(turn, domain, Number.parseInt(name, 16), value);
  }
}

function storeObject(turn: Turn, domain: SecurityDomain, tag: number, value: Uint8Array): void {
  const tags = domain.isIssuer ? ISSUER_TAGS : DOMAIN_TAGS;
  if (!tags.includes(tag)) throw new Refusal(SW.wrongData);
  if (value.length > MAX_OBJECT || (isConstructed(tag) && readObjects(value).length === 0))
    throw new Refusal(SW.wrongData);
  if (tag === 0x4f) {
    renameIssuer(turn, readAid(value));
    return;
  }
  if ((tag === 0x9f66 || tag === 0x9f67) && value.length !== 8) throw new Refusal(SW.wrongData);
  const { data } = domain.state;
  const name = tag.toString(16).toUpperCase();
  requireMemory(turn, Math.max(0, value.length - (data[name]?.length ?? 0) / 2));
  data[name] = toHex(value);
}

/** The issuer's domain under another AID; it stays selected, and the session goes on. */
function renameIssuer({ image, volatile }: Turn, aid: string): void {
  if (aid !== image.domain.aid && isTaken(image, aid)) throw new Refusal(SW.conditions);
  const old = image.domain.aid;
  image.domain.aid = aid;
  if (volatile.selected === old) volatile.selected = aid;
  if (volatile.keyOwner === old) volatile.keyOwner = aid;
}

/** A plain applet keeps what it is given; a second value replaces the first. */
function storeInApplication(turn: Turn, aid: string, structures: readonly Structure[]): void {
  const applet = appletOf(turn.image, aid);
  for (const { name, value } of structures) {
    requireMemory(turn, Math.max(0, value.length - (applet.data[name]?.length ?? 0) / 2));
    applet.data[name] = toHex(value);
  }
}

function appletOf(image: CardImage, aid: string): { data: Record<string, string> } {
  const applet = image.instances.find((instance) => instance.aid === aid)?.applet;
  if (applet?.kind !== 'plain') throw new Refusal(SW.conditions);
  return applet;
}
