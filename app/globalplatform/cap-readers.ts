/** Reads the components of a CAP file that say what is in it (JCVM specification 2.2.2, 3.0.5 and 3.1, chapter 6). */
import { type Aid, isAid, toAid } from '../card/aid.ts';
import { toHex } from '../card/bytes.ts';
import {
  CAP_FORMATS,
  type CapDirectory,
  CapFileError,
  type CapFormat,
  type CapHeader,
  COMPONENT_TAGS,
  type ComponentName,
  ExtendedCapFileError,
  FIRST_CUSTOM_TAG,
  isComponentName,
  type PackageReference,
} from './cap-components.ts';

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
  u4(): number {
    return this.u2() * 0x10000 + this.u2();
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

/** Bytes before the info of a component: its tag and its size. */
export function headBytes(name: ComponentName): number {
  return name === 'StaticResources' ? 5 : 3;
}

/** Tag and size of a component agree with its name and length. @throws CapFileError */
export function checkComponent(name: ComponentName, bytes: Uint8Array): void {
  const reader = new ComponentReader(name, bytes);
  if (reader.u1() !== COMPONENT_TAGS[name]) throw reader.error('another tag', 0);
  const size = headBytes(name) === 5 ? reader.u4() : reader.u2();
  if (size !== bytes.length - headBytes(name))
    throw reader.error(`size ${size} does not match ${bytes.length - headBytes(name)} bytes`, 1);
}

const ACC_EXPORT = 0x02;
const ACC_APPLET = 0x04;
const ACC_EXTENDED = 0x08;

/** @throws ExtendedCapFileError when the Header component says so; what else it says is not looked at. */
export function refuseExtended(header: Uint8Array): void {
  const [minor, major, flags] = header.slice(7, 10);
  if (major === 2 && minor === 3 && ((flags ?? 0) & ACC_EXTENDED) !== 0) throw new ExtendedCapFileError(9);
}

/** @throws CapFileError */
export function readHeader(bytes: Uint8Array): CapHeader {
  const reader = new ComponentReader('Header', bytes);
  reader.at = 3;
  if (reader.u2() !== 0xdeca || reader.u2() !== 0xffed) throw reader.error('magic is not DECAFFED', 3);
  const formatMinor = reader.u1();
  const formatMajor = reader.u1();
  const format = CAP_FORMATS.find((each) => each === `${formatMajor}.${formatMinor}`);
  if (format === undefined) throw reader.error(`format ${formatMajor}.${formatMinor} is not supported`, 7);
  const flags = reader.u1();
  const minor = reader.u1();
  const major = reader.u1();
  const aid = reader.aid();
  return {
    aid,
    version: { major, minor },
    format,
    exports: (flags & ACC_EXPORT) !== 0,
    applets: (flags & ACC_APPLET) !== 0,
  };
}

/** Components whose size the Directory gives, in its order; Debug from format 2.2 on, static resources from 2.3 on. */
function listedComponents(format: CapFormat): ComponentName[] {
  const latest = format === '2.1' ? COMPONENT_TAGS.Descriptor : COMPONENT_TAGS.Debug;
  return Object.keys(COMPONENT_TAGS)
    .filter(isComponentName)
    .filter((name) => COMPONENT_TAGS[name] <= latest);
}

/** Where in the Directory the size of a component stands. */
export function sizeOffset(name: ComponentName): number {
  return 3 + 2 * (COMPONENT_TAGS[name] - 1);
}

/** @throws CapFileError */
export function readDirectory(bytes: Uint8Array, format: CapFormat): CapDirectory {
  const reader = new ComponentReader('Directory', bytes);
  reader.at = 3;
  const sizes: Partial<Record<ComponentName, number>> = {};
  for (const name of listedComponents(format)) sizes[name] = reader.u2();
  if (format === '2.3') sizes.StaticResources = reader.u4();
  const staticImage = reader.u2();
  reader.u2(); // how many arrays
  const staticArrays = reader.u2();
  const imports = reader.u1();
  const applets = reader.u1();
  const custom = Array.from({ length: reader.u1() }, () => {
    const at = reader.at;
    const tag = reader.u1();
    if (tag < FIRST_CUSTOM_TAG) throw reader.error('a custom component with a tag below 128', at);
    const size = reader.u2();
    return { tag, size, aid: reader.aid() };
  });
  reader.expectEnd();
  return { sizes, staticImage, staticArrays, imports, applets, custom };
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
