/** GET STATUS (GPC 2.3.1 §11.4). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, fromHex, toHex } from '../../card/bytes.ts';
import { readTlvs, TlvError, writeTlv } from '../../card/tlv.ts';
import type { CardImage } from '../image.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';

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

/** Privileges of the issuer security domain: security domain, card lock, terminate, reset, authorised management. */
const DOMAIN_PRIVILEGES = '9EFE80';

const SUBSETS = new Map<number, (image: CardImage) => Entry[]>([
  [0x80, ({ domain }) => [{ aid: domain.aid, lifecycle: domain.lifecycle, privileges: DOMAIN_PRIVILEGES }]],
  [0x40, ({ domain, instances }) => instances.map((instance) => ({ ...instance, domain: domain.aid }))],
  [0x20, (image) => files(image, false)],
  [0x10, (image) => files(image, true)],
]);

function files({ domain, packages }: CardImage, withModules: boolean): Entry[] {
  return packages.map(({ aid, version, modules }) => ({
    aid,
    version,
    lifecycle: 0x01,
    domain: domain.aid,
    ...(withModules ? { modules } : {}),
  }));
}

/** GET STATUS: P1 80, 40, 20, 10; P2 bit 1 the next part, bit 2 TLV instead of the legacy format. */
export function getStatus(turn: Turn, command: CommandApdu): ResponseApdu {
  const subset = SUBSETS.get(command.p1);
  if (subset === undefined || command.p2 > 3) throw new Refusal(SW.wrongP1P2);
  const tlv = (command.p2 & 0x02) !== 0;
  const request = `${command.p1} ${tlv} ${toHex(command.data ?? new Uint8Array(0))}`;
  if ((command.p2 & 0x01) !== 0) return page(turn, request, remaining(turn, request));
  const search = criterion(command.data);
  const found = subset(turn.image).filter(({ aid }) => aid.startsWith(search));
  if (found.length === 0) throw new Refusal(SW.referenceNotFound);
  return page(
    turn,
    request,
    found.map((entry) => (tlv ? tlvEntry(entry) : legacyEntry(entry))),
  );
}

/** The search criterion 4F; a tag list 5C may follow and is not looked at. */
function criterion(data: Uint8Array | undefined): string {
  if (data === undefined) throw new Refusal(SW.wrongLength);
  try {
    const aid = readTlvs(data).find(({ tag }) => tag === 0x4f)?.value;
    if (aid === undefined || aid.length > 16) throw new Refusal(SW.wrongData);
    return toHex(aid);
  } catch (error) {
    if (error instanceof TlvError) throw new Refusal(SW.wrongData);
    throw error;
  }
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
  const rest = entries.slice(fit);
  const data = concat(...entries.slice(0, fit));
  turn.volatile.listing = rest.length === 0 ? undefined : { request, rest };
  return rest.length === 0 ? ok(data) : { data, sw: SW.moreData };
}

function lengthAndAid(aid: string): Uint8Array {
  const bytes = fromHex(aid);
  return concat(Uint8Array.of(bytes.length), bytes);
}

/** Table 11-34: length, AID, life cycle, one byte of privileges; modules where asked for. */
function legacyEntry(entry: Entry): Uint8Array {
  const [privileges = 0] = fromHex(entry.privileges ?? '00');
  const { modules } = entry;
  return concat(
    lengthAndAid(entry.aid),
    Uint8Array.of(entry.lifecycle, privileges),
    ...(modules === undefined ? [] : [Uint8Array.of(modules.length), ...modules.map(lengthAndAid)]),
  );
}

/** Table 11-36: E3 with the entry's objects. */
function tlvEntry(entry: Entry): Uint8Array {
  const object = (tag: number, value: string | undefined) =>
    value === undefined ? new Uint8Array(0) : writeTlv(tag, fromHex(value));
  return writeTlv(
    0xe3,
    object(0x4f, entry.aid),
    writeTlv(0x9f70, Uint8Array.of(entry.lifecycle)),
    object(0xc5, entry.privileges),
    object(0xc4, entry.package),
    object(0xce, entry.version),
    ...(entry.modules ?? []).map((module) => object(0x84, module)),
    object(0xcc, entry.domain),
  );
}
