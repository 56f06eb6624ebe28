/** GET STATUS (GPC 2.3.1 §11.4; the format without TLV is the one of GPC 2.1.1 §9.4). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, fromHex, toHex } from '../../card/bytes.ts';
import { writeTlv } from '../../card/tlv.ts';
import type { CardImage } from '../image.ts';
import {
  associatedWith,
  isBelow,
  issuerPrivileges,
  PRIVILEGE,
  privilegeText,
  type SecurityDomain,
} from '../registry.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { requireSince22 } from './before-22.ts';
import { readObjects } from './fields.ts';

/** Everything an entry may show; each format and subset takes its part. */
interface Entry {
  readonly aid: string;
  readonly lifecycle: number;
  /** 3 bytes. */
  readonly privileges?: string;
  readonly package?: string;
  readonly domain?: string;
  readonly version?: string;
  readonly modules?: readonly string[];
}

const ISSUER_ONLY = 0x80;

const SUBSETS = new Map<number, (image: CardImage) => Entry[]>([
  [ISSUER_ONLY, issuer],
  [0x40, applications],
  [0x20, (image) => files(image, false)],
  [0x10, (image) => files(image, true)],
]);

function issuer(image: CardImage): Entry[] {
  const { aid, lifecycle } = image.domain;
  return [{ aid, lifecycle, privileges: privilegeText(issuerPrivileges(image)) }];
}

function applications(image: CardImage): Entry[] {
  return image.instances.map((instance) => ({ ...instance, domain: associatedWith(image, instance) }));
}

function files(image: CardImage, withModules: boolean): Entry[] {
  return image.packages.map((file) => ({
    aid: file.aid,
    version: file.version,
    lifecycle: 0x01,
    domain: associatedWith(image, file),
    ...(withModules ? { modules: file.modules } : {}),
  }));
}

/** GET STATUS: P1 80, 40, 20, 10; P2 bit 1 the next part, bit 2 TLV instead of the legacy format. */
export function getStatus(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  const subset = SUBSETS.get(command.p1);
  if (subset === undefined || command.p2 > 3) throw new Refusal(SW.wrongP1P2);
  const tlv = (command.p2 & 0x02) !== 0;
  const request = `${command.p1} ${tlv} ${toHex(command.data ?? new Uint8Array(0))}`;
  if ((command.p2 & 0x01) !== 0) return page(turn, request, remaining(turn, request));
  if (command.data === undefined) throw new Refusal(SW.wrongLength);
  const criteria = readObjects(command.data);
  const search = criteria.find(({ tag }) => tag === 0x4f)?.value;
  if (search === undefined || search.length > 16) throw new Refusal(SW.wrongData);
  // The tag list came with 2.2. TLV did too, but 2.1.1 cards from a shop list in both forms, and tools like gpshell ask for no other.
  if (criteria.length > 1) requireSince22(turn.image, SW.wrongData);
  const tags = tagList(criteria.find(({ tag }) => tag === 0x5c)?.value);
  // The issuer's domain is always found, whatever AID is searched for: there is only one.
  const prefix = command.p1 === ISSUER_ONLY ? '' : toHex(search);
  const found = subset(turn.image).filter(
    (entry) => entry.aid.startsWith(prefix) && maySee(turn.image, domain, entry),
  );
  if (found.length === 0) throw new Refusal(SW.referenceNotFound);
  return page(
    turn,
    request,
    found.map((entry) => (tlv ? tlvEntry(entry, tags) : legacyEntry(entry))),
  );
}

/** A domain sees what is below it, itself included, or everything with the privilege for it. */
function maySee(image: CardImage, domain: SecurityDomain, entry: Entry): boolean {
  if ((domain.privileges & PRIVILEGE.globalRegistry) !== 0) return true;
  return entry.aid === domain.aid || (entry.domain !== undefined && isBelow(image, entry, domain.aid));
}

/** Tags asked for, in any order; undefined for the usual ones. @throws Refusal 6A80 */
function tagList(bytes: Uint8Array | undefined): ReadonlySet<number> | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  const tags = new Set<number>();
  for (let at = 0; at < bytes.length; at += 1) {
    const first = bytes[at] ?? 0;
    const isLong = (first & 0x1f) === 0x1f;
    if (isLong && at + 1 >= bytes.length) throw new Refusal(SW.wrongData);
    tags.add(isLong ? (first << 8) | (bytes[at + 1] ?? 0) : first);
    if (isLong) at += 1;
  }
  return tags;
}

function remaining(turn: Turn, request: string): readonly Uint8Array[] {
  const { listing } = turn.volatile;
  if (listing === undefined || listing.request !== request) throw new Refusal(SW.conditions);
  return listing.rest;
}

/** As many whole entries as fit one response; 6310 when some are left. */
function page(turn: Turn, request: string, entries: readonly Uint8Array[]): ResponseApdu {
  const room = turn.volatile.channel?.responseRoom ?? 256;
  let fit = 0;
  let size = 0;
  for (const entry of entries) {
    if (size + entry.length > room) break;
    size += entry.length;
    fit += 1;
  }
  // An entry that fits no answer would be asked for again and again without end.
  if (fit === 0) throw new Refusal(SW.conditions);
  const rest = entries.slice(fit);
  const data = concat(...entries.slice(0, fit));
  turn.volatile.listing = rest.length === 0 ? undefined : { request, rest };
  return rest.length === 0 ? ok(data) : { data, sw: SW.moreData };
}

function lengthAndAid(aid: string): Uint8Array {
  const bytes = fromHex(aid);
  return concat(Uint8Array.of(bytes.length), bytes);
}

/** GPC 2.1.1 table 9-24: length, AID, life cycle, one byte of privileges; modules where asked for. */
function legacyEntry(entry: Entry): Uint8Array {
  const [privileges = 0] = fromHex(entry.privileges ?? '00');
  const { modules } = entry;
  return concat(
    lengthAndAid(entry.aid),
    Uint8Array.of(entry.lifecycle, privileges),
    ...(modules === undefined ? [] : [Uint8Array.of(modules.length), ...modules.map(lengthAndAid)]),
  );
}

/** Tables 11-36, 11-37: E3 with the entry's objects, those of the tag list only where there is one. */
function tlvEntry(entry: Entry, tags: ReadonlySet<number> | undefined): Uint8Array {
  const object = (tag: number, value: string | undefined) =>
    value === undefined || (tags !== undefined && !tags.has(tag))
      ? new Uint8Array(0)
      : writeTlv(tag, fromHex(value));
  return writeTlv(
    0xe3,
    object(0x4f, entry.aid),
    object(0x9f70, entry.lifecycle.toString(16).padStart(2, '0')),
    object(0xc5, entry.privileges),
    object(0xc4, entry.package),
    object(0xce, entry.version),
    ...(entry.modules ?? []).map((module) => object(0x84, module)),
    object(0xcc, entry.domain),
  );
}
