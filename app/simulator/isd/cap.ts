/**
 * What the card reads of a load file: CAP components (Java Card VM specification §6). The code itself is not kept, for the card runs applets of its
 * own under the package's AID; but a file that a real card could not link is refused as there, or a host would believe a broken package good.
 */
import { toHex } from '../../card/bytes.ts';

/** A load file as kept on the card. */
interface LoadFile {
  readonly aid: string;
  /** Major, minor: 4 digits. */
  readonly version: string;
  readonly modules: string[];
}

/** Tags of table 6-1. From 128 on they are a vendor's own, which a card that does not know them leaves out (§6.1.3). */
const TAG = {
  header: 1,
  directory: 2,
  applet: 3,
  import: 4,
  constantPool: 5,
  class: 6,
  method: 7,
  staticField: 8,
  referenceLocation: 9,
  export: 10,
  descriptor: 11,
  debug: 12,
  staticResources: 13,
} as const;
const FIRST_CUSTOM = 0x80;

/** Without these nothing can be linked; whether Applet and Export are needed the Header says. */
const NEEDED: readonly number[] = [
  TAG.directory,
  TAG.import,
  TAG.constantPool,
  TAG.class,
  TAG.method,
  TAG.staticField,
  TAG.referenceLocation,
];
/** What is there for tools and debuggers may be left out of a load. */
const OPTIONAL: readonly number[] = [TAG.descriptor, TAG.debug];

const FLAG = { export: 0x02, applet: 0x04 } as const;
/** How many sizes the Directory lists, by minor version of the format: Debug from 2.2 on, StaticResources from 2.3 on. */
const LISTED = new Map([
  [1, 11],
  [2, 12],
  [3, 13],
]);

type Components = ReadonlyMap<number, Uint8Array>;

interface Header {
  readonly aid: string;
  readonly version: string;
  readonly formatMinor: number;
  readonly flags: number;
}

/** Package AID, version and applets out of the components; undefined when one is missing, damaged, or says what another denies. */
export function readLoadFile(bytes: Uint8Array): LoadFile | undefined {
  const components = readComponents(bytes);
  const header = components && readHeader(components.get(TAG.header));
  if (components === undefined || header === undefined) return undefined;
  const needed = [
    ...NEEDED,
    ...((header.flags & FLAG.applet) === 0 ? [] : [TAG.applet]),
    ...((header.flags & FLAG.export) === 0 ? [] : [TAG.export]),
  ];
  if (!needed.every((tag) => components.has(tag))) return undefined;
  const modules = components.has(TAG.applet) ? readApplets(components.get(TAG.applet)) : [];
  const imports = countImports(components.get(TAG.import));
  if (modules === undefined || imports === undefined) return undefined;
  const counted = { imports, applets: modules.length };
  if (!isDirectoryRight(components, header.formatMinor, counted)) return undefined;
  return { aid: header.aid, version: header.version, modules };
}

/** Each is a tag, its size in two bytes (StaticResources: four), and its content. Undefined where they do not add up. */
function readComponents(bytes: Uint8Array): Components | undefined {
  const components = new Map<number, Uint8Array>();
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0;
    const start = at + 1 + (tag === TAG.staticResources ? 4 : 2);
    if (start > bytes.length) return undefined;
    const size = number(bytes.slice(at + 1, start));
    const isKnown = tag >= TAG.header && tag <= TAG.staticResources;
    if (start + size > bytes.length || (!isKnown && tag < FIRST_CUSTOM) || components.has(tag))
      return undefined;
    // What is loaded begins with the Header: it says how to read the rest.
    if (components.size === 0 && tag !== TAG.header) return undefined;
    components.set(tag, bytes.slice(start, start + size));
    at = start + size;
  }
  return components;
}

/** §6.4: magic, CAP version, flags, then package minor, major, AID. */
function readHeader(header: Uint8Array | undefined): Header | undefined {
  if (header === undefined || toHex(header.slice(0, 4)) !== 'DECAFFED') return undefined;
  const [formatMinor, formatMajor, flags, minor, major, length = 0] = header.slice(4);
  const aid = header.slice(10, 10 + length);
  if (formatMinor === undefined || formatMajor !== 2 || flags === undefined) return undefined;
  if (minor === undefined || major === undefined || !isAidLength(length) || aid.length !== length)
    return undefined;
  return { aid: toHex(aid), version: toHex(Uint8Array.of(major, minor)), formatMinor, flags };
}

/** §6.6: count, then AID length, AID and install method offset of each applet. */
function readApplets(component: Uint8Array | undefined): string[] | undefined {
  if (component === undefined) return undefined;
  const [count = 0] = component;
  const applets: string[] = [];
  let at = 1;
  for (let i = 0; i < count; i += 1) {
    const length = component[at] ?? 0;
    if (!isAidLength(length) || at + 1 + length + 2 > component.length) return undefined;
    applets.push(toHex(component.slice(at + 1, at + 1 + length)));
    at += 1 + length + 2;
  }
  return at === component.length ? applets : undefined;
}

/** §6.7: count, then minor, major, AID length and AID of each package. */
function countImports(component: Uint8Array | undefined): number | undefined {
  if (component === undefined) return undefined;
  const [count = 0] = component;
  let at = 1;
  for (let i = 0; i < count; i += 1) {
    const length = component[at + 2] ?? 0;
    if (!isAidLength(length)) return undefined;
    at += 3 + length;
  }
  return at === component.length ? count : undefined;
}

/** §6.5: the sizes of all components in the order of their tags, 6 bytes on static fields, the numbers of imports, applets and custom components. */
function isDirectoryRight(
  components: Components,
  formatMinor: number,
  counted: { readonly imports: number; readonly applets: number },
): boolean {
  const directory = components.get(TAG.directory);
  const listed = LISTED.get(formatMinor);
  if (directory === undefined || listed === undefined) return false;
  let at = 0;
  for (let tag = 1; tag <= listed; tag += 1) {
    const width = tag === TAG.staticResources ? 4 : 2;
    const size = number(directory.slice(at, at + width));
    const there = components.get(tag)?.length;
    if (there === undefined ? size !== 0 && !OPTIONAL.includes(tag) : size !== there) return false;
    at += width;
  }
  at += 6;
  return directory[at] === counted.imports && directory[at + 1] === counted.applets;
}

function number(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

function isAidLength(length: number): boolean {
  return length >= 5 && length <= 16;
}
