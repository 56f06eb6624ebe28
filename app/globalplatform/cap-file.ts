/** CAP files: what is in a package, and what of it is sent to a card (JCVM specification 2.2.2 chapter 6). */
import { createHash } from 'node:crypto';
import type { Aid } from '../card/aid.ts';
import { concat } from '../card/bytes.ts';
import {
  type CapDirectory,
  CapFileError,
  COMPONENT_TAGS,
  type ComponentName,
  checkComponent,
  isComponentName,
  LOAD_ORDER,
  type PackageReference,
  REQUIRED,
  readApplets,
  readDirectory,
  readHeader,
  readImports,
} from './cap-components.ts';
import { blockCount } from './load.ts';
import { readZip, ZipError, type ZipMember } from './zip.ts';

/** A load file data block: what LOAD sends behind the tag C4 and its length. */
export interface LoadFile {
  readonly bytes: Uint8Array;
  readonly descriptor: boolean;
  /** Hashes over exactly `bytes`: what a DAP, a token or INSTALL [for load] must be over. */
  readonly sha1: Uint8Array;
  readonly sha256: Uint8Array;
}

/** A package, read and checked. */
export interface CapFile {
  readonly package: PackageReference;
  /** Format of the file, "2.1" or "2.2". */
  readonly format: string;
  readonly applets: readonly Aid[];
  readonly imports: readonly PackageReference[];
  /** Bytes of each component that is there, tag and size included. */
  readonly sizes: Readonly<Partial<Record<ComponentName, number>>>;
  /**
   * What is sent to the card: the components in the card's order, without Debug, and without Descriptor unless asked for. The
   * hashes of the two differ; whoever signs or records one records which.
   */
  loadFile(options?: { readonly descriptor?: boolean }): LoadFile;
  /**
   * LOAD commands needed with `blockSize` plain bytes each.
   * @throws LoadFileTooLarge when they are more than 256.
   */
  blockCount(blockSize: number, options?: { readonly descriptor?: boolean }): number;
}

/** Components hold at most 65,535 bytes and a loadable file about 64 KB, so these are generous. */
const LIMITS = { archive: 1 << 20, members: 200, member: 1 << 17, total: 1 << 20 } as const;

/**
 * Reads a CAP file: a ZIP archive with one package's components, in any order and folder.
 * @throws CapFileError naming the component and offset of what is damaged; component "archive" for the archive itself.
 */
export function readCapFile(bytes: Uint8Array): CapFile {
  const components = readComponents(bytes);
  const part = (name: ComponentName) => {
    const component = components.get(name);
    if (component === undefined) throw new CapFileError(name, 'component missing', 0);
    return component;
  };
  for (const name of REQUIRED) part(name);
  const header = readHeader(part('Header'));
  const imports = readImports(part('Import'));
  const applets = header.applets ? readApplets(part('Applet')) : [];
  const directory = readDirectory(part('Directory'), header.format);
  checkDirectory(directory, components, { imports: imports.length, applets: applets.length });

  const loadFile = (options: { readonly descriptor?: boolean } = {}): LoadFile => {
    const descriptor = options.descriptor ?? false;
    if (descriptor) part('Descriptor');
    const sent = LOAD_ORDER.filter((name) => descriptor || name !== 'Descriptor');
    const content = concat(...sent.map((name) => components.get(name) ?? new Uint8Array(0)));
    return { bytes: content, descriptor, sha1: hash('sha1', content), sha256: hash('sha256', content) };
  };
  const sizes: Partial<Record<ComponentName, number>> = {};
  for (const [name, component] of components) sizes[name] = component.length;
  return {
    package: { aid: header.aid, version: header.version },
    format: header.format,
    applets,
    imports,
    sizes,
    loadFile,
    blockCount: (blockSize, options) => blockCount(loadFile(options).bytes, blockSize),
  };
}

function readComponents(bytes: Uint8Array): Map<ComponentName, Uint8Array> {
  const components = new Map<ComponentName, Uint8Array>();
  try {
    for (const member of readZip(bytes, LIMITS)) {
      const name = componentName(member);
      if (name === undefined) continue;
      if (components.has(name)) throw new CapFileError(name, 'component there twice', 0);
      const component = member.read();
      checkComponent(name, component);
      components.set(name, component);
    }
  } catch (error) {
    if (error instanceof ZipError) throw new CapFileError('archive', error.reason, error.offset);
    throw error;
  }
  return components;
}

/** Components are members `<package path>/javacard/<Name>.cap`; everything else in the archive is for people. */
function componentName(member: ZipMember): ComponentName | undefined {
  const match = /(?:^|\/)javacard\/([^/]+)\.cap$/i.exec(member.name);
  if (match?.[1] === undefined) return undefined;
  const wanted = match[1].toLowerCase();
  const name = Object.keys(COMPONENT_TAGS).find((each) => each.toLowerCase() === wanted);
  if (name !== undefined && isComponentName(name)) return name;
  throw new CapFileError(match[1], 'component not supported', 0);
}

function checkDirectory(
  directory: CapDirectory,
  components: ReadonlyMap<ComponentName, Uint8Array>,
  counted: { readonly imports: number; readonly applets: number },
): void {
  Object.entries(directory.sizes).forEach(([name, size], index) => {
    if (!isComponentName(name)) return;
    const component = components.get(name);
    const offset = 3 + 2 * index;
    if (component !== undefined && component.length - 3 !== size)
      throw new CapFileError('Directory', `another size of ${name} than it has`, offset);
    // Descriptor and Debug may have been taken out of the archive; nothing else may.
    const optional = name === 'Descriptor' || name === 'Debug';
    if (component === undefined && size !== 0 && !optional)
      throw new CapFileError(name, 'component missing', 0);
  });
  if (directory.imports !== counted.imports)
    throw new CapFileError('Directory', 'another number of imports than there are', 3);
  if (directory.applets !== counted.applets)
    throw new CapFileError('Directory', 'another number of applets than there are', 3);
}

function hash(algorithm: 'sha1' | 'sha256', content: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash(algorithm).update(content).digest());
}
