/**
 * Reading a ZIP archive in memory, with limits: an archive comes from outside and says itself how large it is. Walks the
 * central directory (PKWARE APPNOTE §4.3), checks every size and CRC-32; stored and deflated members only.
 */
import { inflateSync } from 'fflate';

/** The archive is damaged or beyond the limits; `offset` within it, counted from 0. */
export class ZipError extends Error {
  readonly offset: number;
  readonly reason: string;
  constructor(reason: string, offset: number) {
    super(`${reason} at offset ${offset}`);
    this.name = 'ZipError';
    this.reason = reason;
    this.offset = offset;
  }
}

/** What an archive may at most be, in members and bytes; `member` and `total` count what is read of it. */
interface ZipLimits {
  readonly archive: number;
  readonly members: number;
  readonly member: number;
  readonly total: number;
}

/** One member of the archive, opened on demand. */
export interface ZipMember {
  readonly name: string;
  /** Where its data lie in the archive. */
  readonly offset: number;
  /** @throws ZipError */
  read(): Uint8Array;
}

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;

/** All members. @throws ZipError */
export function readZip(bytes: Uint8Array, limits: ZipLimits): ZipMember[] {
  if (bytes.length > limits.archive)
    throw new ZipError(`archive over ${limits.archive} bytes`, limits.archive);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  if (count > limits.members) throw new ZipError(`more than ${limits.members} members`, end);
  const members: ZipMember[] = [];
  const names = new Set<string>();
  let total = 0;
  const read = (entry: Entry): Uint8Array => {
    if (Math.max(entry.size, entry.compressed) > limits.member)
      throw new ZipError(`member over ${limits.member} bytes`, entry.start);
    total += entry.size;
    if (total > limits.total) throw new ZipError(`members over ${limits.total} bytes together`, entry.start);
    return readMember(bytes, entry);
  };
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i += 1) {
    const entry = readEntry(bytes, view, at);
    if (names.has(entry.name)) throw new ZipError('two members of one name', at);
    names.add(entry.name);
    members.push({ name: entry.name, offset: entry.start, read: () => read(entry) });
    at = entry.next;
  }
  return members;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  readonly start: number;
  readonly next: number;
}

function findEnd(view: DataView): number {
  // The record is 22 bytes, followed by a comment of at most 65,535.
  const last = view.byteLength - 22;
  for (let at = last; at >= Math.max(0, last - 0xffff); at -= 1)
    if (view.getUint32(at, true) === END_OF_DIRECTORY) return at;
  throw new ZipError('not a ZIP archive', 0);
}

function readEntry(bytes: Uint8Array, view: DataView, at: number): Entry {
  if (at + 46 > bytes.length || view.getUint32(at, true) !== DIRECTORY_ENTRY)
    throw new ZipError('directory damaged', at);
  const flags = view.getUint16(at + 8, true);
  if ((flags & 0x01) !== 0) throw new ZipError('member is encrypted', at);
  const compressed = view.getUint32(at + 20, true);
  const size = view.getUint32(at + 24, true);
  const nameLength = view.getUint16(at + 28, true);
  const next = at + 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  const local = view.getUint32(at + 42, true);
  if (next > bytes.length || local + 30 > bytes.length || view.getUint32(local, true) !== LOCAL_HEADER)
    throw new ZipError('directory damaged', at);
  const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (start + compressed > bytes.length) throw new ZipError('member cut short', local);
  return {
    name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)),
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    compressed,
    size,
    start,
    next,
  };
}

function readMember(bytes: Uint8Array, entry: Entry): Uint8Array {
  const packed = bytes.slice(entry.start, entry.start + entry.compressed);
  const data = unpack(packed, entry);
  if (data.length !== entry.size || crc32(data) !== entry.crc)
    throw new ZipError('member damaged', entry.start);
  return data;
}

function unpack(packed: Uint8Array, entry: Entry): Uint8Array {
  if (entry.method === 0) return packed;
  if (entry.method !== 8) throw new ZipError('unknown compression', entry.start);
  try {
    // An output buffer of the declared size: whatever the stream says, no more memory than that is taken.
    return inflateSync(packed, { out: new Uint8Array(entry.size) });
  } catch {
    throw new ZipError('member damaged', entry.start);
  }
}

/** CRC-32 of ISO 3309, as ZIP uses it: what each value of a byte adds. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}
