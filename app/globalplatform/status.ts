/** GET STATUS and what it tells: what is on the card (GPC 2.3.1 §11.4). */
import { type Aid, isAid, toAid } from '../card/aid.ts';
import type { CommandApdu } from '../card/apdu.ts';
import { concat, toHex } from '../card/bytes.ts';
import { type Tlv, writeTlv } from '../card/tlv.ts';
import { readObjects } from './data-objects.ts';
import { GpFormatError } from './errors.ts';

const WHAT = 'GET STATUS answer';

/** What is asked for: the issuer security domain; instances; load files; load files with the applets in them. */
type StatusKind = 'issuer-security-domain' | 'applications' | 'load-files' | 'load-files-and-modules';

/** How the card answers: TLV objects E3, or the older lists without tags. */
type StatusFormat = 'tlv' | 'legacy';

/** One entry of the card's registry. What a card does not tell is absent. */
interface StatusEntry {
  readonly aid: Aid;
  /** Lifecycle state as one byte (GPC 2.3.1 tables 11-3 to 11-6); for the ISD 01 OP_READY, 07, 0F SECURED, 7F, FF. */
  readonly lifecycle: number;
  /** 1 or 3 bytes. */
  readonly privileges?: Uint8Array;
  /** Applets in a load file. */
  readonly modules: readonly Aid[];
  /** Load file an instance was made from. */
  readonly loadFile?: Aid;
  /** Major and minor version of a load file. */
  readonly version?: Uint8Array;
  /** Security domain the object belongs to. */
  readonly securityDomain?: Aid;
}

const P1: Readonly<Record<StatusKind, number>> = {
  'issuer-security-domain': 0x80,
  applications: 0x40,
  'load-files': 0x20,
  'load-files-and-modules': 0x10,
};

/**
 * GET STATUS of everything of one kind; `page` 'next' after an answer 6310. `tags`: what an entry is to hold (tag list 5C, which came with GPC 2.2);
 * left out, whatever the card thinks fit.
 */
export function getStatus(
  kind: StatusKind,
  format: StatusFormat = 'tlv',
  page: 'first' | 'next' = 'first',
  tags: Uint8Array = new Uint8Array(0),
): CommandApdu {
  return {
    cla: 0x80,
    ins: 0xf2,
    p1: P1[kind],
    p2: (format === 'tlv' ? 0x02 : 0x00) | (page === 'next' ? 0x01 : 0x00),
    data: tags.length === 0 ? writeTlv(0x4f) : concat(writeTlv(0x4f), writeTlv(0x5c, tags)),
    le: 256,
  };
}

/**
 * Reads the data of all pages, in order. Cards may break a page in the middle of an entry, so pages are joined first.
 * @throws GpFormatError with the offset within the joined pages.
 */
export function parseStatus(
  kind: StatusKind,
  format: StatusFormat,
  ...pages: readonly Uint8Array[]
): StatusEntry[] {
  const data = concat(...pages);
  return format === 'tlv' ? parseTlv(data) : parseLegacy(data, kind === 'load-files-and-modules');
}

function parseTlv(data: Uint8Array): StatusEntry[] {
  return readObjects(data, WHAT).flatMap((entry, index) => {
    const what = `${WHAT}, entry ${index + 1}`;
    if (entry.tag !== 0xe3) throw new GpFormatError(what, 'an object that is not E3', 0);
    return oneByOne(readObjects(entry.value, what)).map((objects) => entryOf(objects, what));
  });
}

/** Some cards put all they have into one object E3: each AID begins another entry. */
function oneByOne(objects: readonly Tlv[]): Tlv[][] {
  const entries: Tlv[][] = [[]];
  for (const object of objects) {
    const last = entries[entries.length - 1] ?? [];
    if (object.tag === 0x4f && last.some(({ tag }) => tag === 0x4f)) entries.push([object]);
    else last.push(object);
  }
  return entries;
}

function entryOf(objects: readonly Tlv[], what: string): StatusEntry {
  const value = (tag: number) => objects.find((object) => object.tag === tag)?.value;
  const optionalAid = (tag: number) => {
    const bytes = value(tag);
    // Some cards give an empty CC where the object belongs to the ISD.
    return bytes === undefined || bytes.length === 0 ? undefined : aidOf(bytes, what, 0);
  };
  const aid = value(0x4f);
  const lifecycle = value(0x9f70)?.[0];
  if (aid === undefined) throw new GpFormatError(what, 'without AID', 0);
  if (lifecycle === undefined) throw new GpFormatError(what, 'without lifecycle state', 0);
  const privileges = value(0xc5);
  const loadFile = optionalAid(0xc4);
  const version = value(0xce);
  const securityDomain = optionalAid(0xcc);
  return {
    aid: aidOf(aid, what, 0),
    lifecycle,
    modules: objects.filter((object) => object.tag === 0x84).map((object) => aidOf(object.value, what, 0)),
    ...(privileges === undefined || privileges.length === 0 ? {} : { privileges }),
    ...(loadFile === undefined ? {} : { loadFile }),
    ...(version === undefined || version.length === 0 ? {} : { version }),
    ...(securityDomain === undefined ? {} : { securityDomain }),
  };
}

function parseLegacy(data: Uint8Array, withModules: boolean): StatusEntry[] {
  const entries: StatusEntry[] = [];
  const reader = new Cursor(data);
  while (!reader.atEnd) {
    const aid = reader.aid();
    const lifecycle = reader.byte();
    const privileges = Uint8Array.of(reader.byte());
    const modules: Aid[] = [];
    if (withModules) for (let left = reader.byte(); left > 0; left -= 1) modules.push(reader.aid());
    entries.push({ aid, lifecycle, privileges, modules });
  }
  return entries;
}

class Cursor {
  readonly #data: Uint8Array;
  #at = 0;
  constructor(data: Uint8Array) {
    this.#data = data;
  }
  get atEnd(): boolean {
    return this.#at >= this.#data.length;
  }
  byte(): number {
    const byte = this.#data[this.#at];
    if (byte === undefined) throw new GpFormatError(WHAT, 'cut short', this.#at);
    this.#at += 1;
    return byte;
  }
  aid(): Aid {
    const start = this.#at;
    const length = this.byte();
    const end = this.#at + length;
    if (end > this.#data.length) throw new GpFormatError(WHAT, 'AID cut short', start);
    const aid = aidOf(this.#data.slice(this.#at, end), WHAT, start);
    this.#at = end;
    return aid;
  }
}

function aidOf(value: Uint8Array, what: string, offset: number): Aid {
  if (!isAid(toHex(value))) throw new GpFormatError(what, 'an AID of another length than 5 to 16', offset);
  return toAid(value);
}
