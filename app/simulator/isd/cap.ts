/** What the card reads of a load file: CAP components (Java Card VM specification §6). */
import { toHex } from '../../card/bytes.ts';

/** A load file as kept on the card. */
interface LoadFile {
  readonly aid: string;
  /** Major, minor: 4 digits. */
  readonly version: string;
  readonly modules: string[];
}

const HEADER = 1;
const APPLET = 3;
const LAST_STANDARD = 12;

/**
 * Package AID, version and applets out of the components, each tag, 2-byte size, content; undefined when they are not
 * a CAP file. The code itself is not kept: the card runs applets of its own under the package's AID.
 */
export function readLoadFile(bytes: Uint8Array): LoadFile | undefined {
  const components = new Map<number, Uint8Array>();
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0;
    const size = ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const standard = tag >= HEADER && tag <= LAST_STANDARD;
    if (at + 3 + size > bytes.length || (!standard && tag < 0x80) || components.has(tag)) return undefined;
    components.set(tag, bytes.slice(at + 3, at + 3 + size));
    at += 3 + size;
  }
  const header = readHeader(components.get(HEADER));
  const modules = readApplets(components.get(APPLET));
  return header && modules && { ...header, modules };
}

/** §6.4: magic, CAP version, flags, then package minor, major, AID. */
function readHeader(header: Uint8Array | undefined): { aid: string; version: string } | undefined {
  if (header === undefined || toHex(header.slice(0, 4)) !== 'DECAFFED') return undefined;
  const [minor, major, length = 0] = header.slice(7);
  const aid = header.slice(10, 10 + length);
  if (minor === undefined || major === undefined) return undefined;
  if (length < 5 || length > 16 || aid.length !== length) return undefined;
  return { aid: toHex(aid), version: toHex(Uint8Array.of(major, minor)) };
}

/** §6.6: count, then AID length, AID and install method offset of each applet. A library has none. */
function readApplets(component: Uint8Array | undefined): string[] | undefined {
  if (component === undefined) return [];
  const [count = 0] = component;
  const applets: string[] = [];
  let at = 1;
  for (let i = 0; i < count; i += 1) {
    const length = component[at] ?? 0;
    if (length < 5 || length > 16 || at + 1 + length + 2 > component.length) return undefined;
    applets.push(toHex(component.slice(at + 1, at + 1 + length)));
    at += 1 + length + 2;
  }
  return at === component.length ? applets : undefined;
}
