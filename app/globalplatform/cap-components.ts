/** The components of a CAP file and the few of them we read (JCVM specification 2.2.2 and 3.0.5, chapter 6). */
import { type Aid, isAid, toAid } from '../card/aid.ts';
import { toHex } from '../card/bytes.ts';

/** A CAP file that is damaged or of a kind we do not load; `offset` within the component, from its tag, counted from 0. */
export class CapFileError extends Error {
  readonly component: string;
  readonly offset: number;
  constructor(component: string, reason: string, offset: number) {
    super(`CAP file, ${component}: ${reason} at offset ${offset}`);
    this.name = 'CapFileError';
    this.component = component;
    this.offset = offset;
  }
}

/** Tag of each component (table 6-2). */
export const COMPONENT_TAGS = {
  Header: 1,
  Directory: 2,
  Applet: 3,
  Import: 4,
  ConstantPool: 5,
  Class: 6,
  Method: 7,
  StaticField: 8,
  RefLocation: 9,
  Export: 10,
  Descriptor: 11,
  Debug: 12,
} as const;

export type ComponentName = keyof typeof COMPONENT_TAGS;

/** The order in which components are sent to the card (JCVM 2.2.2 §6.2); Debug never is. */
export const LOAD_ORDER: readonly ComponentName[] = [
  'Header',
  'Directory',
  'Import',
  'Applet',
  'Class',
  'Method',
  'StaticField',
  'Export',
  'ConstantPool',
  'RefLocation',
  'Descriptor',
];

/** Components without which there is no package; Applet and Export depend on the package, Descriptor and Debug may be left out. */
export const REQUIRED: readonly ComponentName[] = [
  'Header',
  'Directory',
  'Import',
  'ConstantPool',
  'Class',
  'Method',
  'StaticField',
  'RefLocation',
];

/** Major and minor version of a package. */
export interface PackageVersion {
  readonly major: number;
  readonly minor: number;
}

/** A package by AID and version: the CAP file's own, or one it imports. */
export interface PackageReference {
  readonly aid: Aid;
  readonly version: PackageVersion;
}

/** What the Header component says. */
export interface CapHeader extends PackageReference {
  /** Version of the CAP file format, "2.1" or "2.2". */
  readonly format: string;
  /** Whether the package has applets, and whether it exports. */
  readonly applets: boolean;
  readonly exports: boolean;
}

/** Reads bytes of one component, big-endian, and knows where it is. */
class ComponentReader {
  readonly #component: ComponentName;
  readonly #bytes: Uint8Array;
  at = 0;
  constructor(component: ComponentName, bytes: Uint8Array) {
    this.#component = component;
    this.#bytes = bytes;
  }
  u1(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw this.error('cut short');
    this.at += 1;
    return byte;
  }
  u2(): number {
    return (this.u1() << 8) | this.u1();
  }
  aid(): Aid {
    const start = this.at;
    const value = Uint8Array.from({ length: this.u1() }, () => this.u1());
    if (!isAid(toHex(value))) throw this.error('an AID of another length than 5 to 16', start);
    return toAid(value);
  }
  error(reason: string, at = this.at): CapFileError {
    return new CapFileError(this.#component, reason, at);
  }
  expectEnd(): void {
    if (this.at !== this.#bytes.length) throw this.error('bytes left over');
  }
}

/** Tag and size of a component agree with its name and length. @throws CapFileError */
export function checkComponent(name: ComponentName, bytes: Uint8Array): void {
  const reader = new ComponentReader(name, bytes);
  if (reader.u1() !== COMPONENT_TAGS[name]) throw reader.error('another tag', 0);
  const size = reader.u2();
  if (size !== bytes.length - 3)
    throw reader.error(`size ${size} does not match ${bytes.length - 3} bytes`, 1);
}

/** @throws CapFileError */
export function readHeader(bytes: Uint8Array): CapHeader {
  const reader = new ComponentReader('Header', bytes);
  reader.at = 3;
  if (reader.u2() !== 0xdeca || reader.u2() !== 0xffed) throw reader.error('magic is not DECAFFED', 3);
  const formatMinor = reader.u1();
  const formatMajor = reader.u1();
  if (formatMajor !== 2 || (formatMinor !== 1 && formatMinor !== 2))
    throw reader.error(`format ${formatMajor}.${formatMinor} is not supported`, 7);
  const flags = reader.u1();
  const minor = reader.u1();
  const major = reader.u1();
  const aid = reader.aid();
  return {
    aid,
    version: { major, minor },
    format: `${formatMajor}.${formatMinor}`,
    exports: (flags & 0x02) !== 0,
    applets: (flags & 0x04) !== 0,
  };
}

/** What the Directory component says of the others: their sizes without tag and size, by name. */
export interface CapDirectory {
  readonly sizes: Readonly<Partial<Record<ComponentName, number>>>;
  readonly imports: number;
  readonly applets: number;
}

/** @throws CapFileError */
export function readDirectory(bytes: Uint8Array, format: string): CapDirectory {
  const reader = new ComponentReader('Directory', bytes);
  reader.at = 3;
  const sizes: Partial<Record<ComponentName, number>> = {};
  for (const [name, tag] of Object.entries(COMPONENT_TAGS)) {
    // Format 2.1 does not count the Debug component.
    if (tag === COMPONENT_TAGS.Debug && format === '2.1') continue;
    if (isComponentName(name)) sizes[name] = reader.u2();
  }
  for (let i = 0; i < 3; i += 1) reader.u2(); // static field image: its size and its arrays
  const imports = reader.u1();
  const applets = reader.u1();
  if (reader.u1() !== 0) throw reader.error('custom components are not supported', reader.at - 1);
  reader.expectEnd();
  return { sizes, imports, applets };
}

/** AIDs of the applets. @throws CapFileError */
export function readApplets(bytes: Uint8Array): Aid[] {
  const reader = new ComponentReader('Applet', bytes);
  reader.at = 3;
  const applets: Aid[] = [];
  for (let left = reader.u1(); left > 0; left -= 1) {
    applets.push(reader.aid());
    reader.u2(); // offset of the install method
  }
  reader.expectEnd();
  return applets;
}

/** Packages that must be on the card. @throws CapFileError */
export function readImports(bytes: Uint8Array): PackageReference[] {
  const reader = new ComponentReader('Import', bytes);
  reader.at = 3;
  const imports: PackageReference[] = [];
  for (let left = reader.u1(); left > 0; left -= 1) {
    const minor = reader.u1();
    const major = reader.u1();
    imports.push({ aid: reader.aid(), version: { major, minor } });
  }
  reader.expectEnd();
  return imports;
}

/** Whether `name` names a component. */
export function isComponentName(name: string): name is ComponentName {
  return Object.hasOwn(COMPONENT_TAGS, name);
}
