/** Where a CAP file's components come from: a JAR, a JAR around it, or the components one behind the other (IJC). */
import { toHex } from '../card/bytes.ts';
import {
  CapFileError,
  COMPONENT_TAGS,
  type ComponentName,
  FIRST_CUSTOM_TAG,
  isComponentName,
} from './cap-components.ts';
import { checkComponent, headBytes, refuseExtended } from './cap-readers.ts';
import { readZip, ZipError, type ZipMember } from './zip.ts';

/**
 * Components hold at most 65,535 bytes and a loadable file about 64 KB. What else a build tool packs beside them (classes, export
 * files, documentation) is not read, and so may be more.
 */
const LIMITS = { archive: 8 << 20, members: 4_000, member: 1 << 17, total: 1 << 20 } as const;

/** A CAP file inside a JAR may be as large as one outside. */
const WRAPPED_LIMITS = { ...LIMITS, member: LIMITS.archive, total: LIMITS.archive } as const;

/** The components by name, tag and size included. */
export type Components = ReadonlyMap<ComponentName, Uint8Array>;

/** @throws CapFileError with component `archive` for what holds the components, or naming the damaged one. */
export function readComponents(bytes: Uint8Array): Components {
  let components: Components;
  try {
    components = isSequence(bytes) ? fromSequence(bytes) : fromArchive(bytes);
  } catch (error) {
    if (error instanceof ZipError) throw new CapFileError('archive', error.reason, error.offset);
    throw error;
  }
  // An extended file's components have other heads: its Header explains that better than a size that does not match.
  refuseExtended(components.get('Header') ?? new Uint8Array(0));
  for (const [name, component] of components) checkComponent(name, component);
  return components;
}

/** Begins with a Header component rather than with the signature of an archive. */
function isSequence(bytes: Uint8Array): boolean {
  return bytes[0] === COMPONENT_TAGS.Header && toHex(bytes.slice(3, 7)) === 'DECAFFED';
}

function fromArchive(bytes: Uint8Array): Components {
  const members = readZip(bytes, LIMITS);
  const headers = headerFolders(members);
  if (members.some((member) => isComponentName(componentName(member, headers) ?? '')))
    return fromMembers(members);
  const wrapped = readZip(bytes, WRAPPED_LIMITS).filter((member) => /\.(?:cap|ijc)$/i.test(member.name));
  const [only, second] = wrapped;
  if (second !== undefined)
    throw new CapFileError('archive', 'several CAP files in one archive', second.offset);
  if (only === undefined) throw new CapFileError('Header', 'component missing', 0);
  const inner = only.read();
  return isSequence(inner) ? fromSequence(inner) : fromMembers(readZip(inner, LIMITS));
}

function fromMembers(members: readonly ZipMember[]): Components {
  const headers = headerFolders(members);
  const components = new Map<ComponentName, Uint8Array>();
  for (const member of members) {
    const named = componentName(member, headers);
    if (named === undefined) continue;
    const component = member.read();
    // The tag says what a component is, the name of its member does not: a vendor may store an own one under any name, `Debug.cap` too. Whoever
    // does not know it leaves it out (JCVM 2.2.2 §6.1.3), so it is not sent. Where a member was needed the package then lacks it, and is refused for that.
    if ((component[0] ?? 0) >= FIRST_CUSTOM_TAG) continue;
    if (!isComponentName(named)) throw new CapFileError(named, 'component not supported', 0);
    add(components, named, component);
  }
  return components;
}

/** Components one behind the other, as in the load file. */
function fromSequence(bytes: Uint8Array): Components {
  if (bytes.length > LIMITS.total)
    throw new CapFileError('archive', `components over ${LIMITS.total} bytes together`, LIMITS.total);
  refuseExtended(bytes);
  const components = new Map<ComponentName, Uint8Array>();
  let at = 0;
  while (at < bytes.length) {
    if ((bytes[at] ?? 0) >= FIRST_CUSTOM_TAG) {
      at = endOfCustom(bytes, at);
      continue;
    }
    const name = Object.keys(COMPONENT_TAGS)
      .filter(isComponentName)
      .find((each) => COMPONENT_TAGS[each] === bytes[at]);
    if (name === undefined) throw new CapFileError('archive', 'component not supported', at);
    const head = headBytes(name);
    const size = bytes.slice(at + 1, at + head).reduce((value, byte) => value * 256 + byte, 0);
    const end = at + head + size;
    if (end > bytes.length) throw new CapFileError('archive', `${name} cut short`, at);
    add(components, name, bytes.slice(at, end));
    at = end;
  }
  return components;
}

/** Where a vendor's own component in a sequence ends: behind its tag, a size of 2 bytes and as many bytes. @throws CapFileError */
function endOfCustom(bytes: Uint8Array, at: number): number {
  const end = at + 3 + (((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0));
  if (at + 3 > bytes.length || end > bytes.length)
    throw new CapFileError('archive', 'custom component cut short', at);
  return end;
}

function add(components: Map<ComponentName, Uint8Array>, name: ComponentName, component: Uint8Array): void {
  if (components.has(name)) throw new CapFileError(name, 'component there twice', 0);
  components.set(name, component);
}

/**
 * Name of the component a member is: `<package path>/javacard/<Name>.cap`, or `.capx` for those that only later formats have. Some
 * tools leave the folder out: then it is beside the Header, one of `headers`. Everything else in the archive is for people. Undefined: no component; a
 * name we do not know: maybe a vendor's own.
 */
function componentName(member: ZipMember, headers: ReadonlySet<string>): string | undefined {
  const { folder, file } = pathOf(member);
  if (file === undefined) return undefined;
  const inPlace = /(?:^|\/)javacard\/$/i.test(folder);
  const known = Object.keys(COMPONENT_TAGS).find((each) => each.toLowerCase() === file.toLowerCase());
  if (inPlace) return known ?? file;
  return headers.has(folder) ? known : undefined;
}

/** Folders in which a Header is. */
function headerFolders(members: readonly ZipMember[]): ReadonlySet<string> {
  const headers = members.map(pathOf).filter(({ file }) => file?.toLowerCase() === 'header');
  return new Set(headers.map(({ folder }) => folder));
}

/** Folder, with its separator, and name of a `.cap` or `.capx` file. Windows tools write a separator of their own. */
function pathOf({ name }: ZipMember): { readonly folder: string; readonly file: string | undefined } {
  const path = name.replaceAll('\\', '/');
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return { folder, file: /^(.+)\.capx?$/i.exec(path.slice(folder.length))?.[1] };
}
