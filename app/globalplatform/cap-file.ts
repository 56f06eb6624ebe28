/** CAP files: what is in a package, and what of it is sent to a card (JCVM specification 2.2.2, 3.0.5 and 3.1, chapter 6). */
import { createHash } from 'node:crypto';
import type { Aid } from '../card/aid.ts';
import { concat } from '../card/bytes.ts';
import { type Components, readComponents } from './cap-archive.ts';
import {
  type CapDirectory,
  CapFileError,
  type CapFormat,
  type ComponentName,
  isComponentName,
  LOAD_ORDER,
  type PackageReference,
  REQUIRED,
} from './cap-components.ts';
import { headBytes, readApplets, readDirectory, readHeader, readImports, sizeOffset } from './cap-readers.ts';
import { javaCardVersion } from './java-card.ts';
import { blockCount } from './load.ts';

/** Hashes that INSTALL [for load], a DAP or a token may be over; which one a card knows is in its capabilities (0067). */
type LoadFileHashAlgorithm = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** A load file data block: what LOAD sends behind the tag C4 and its length. */
interface LoadFile {
  readonly bytes: Uint8Array;
  /** Whether the Descriptor component is in it: whoever records a hash records this too. */
  readonly descriptor: boolean;
  /** Hashes over exactly `bytes`: what a DAP, a token or INSTALL [for load] must be over. */
  readonly sha1: Uint8Array;
  readonly sha256: Uint8Array;
  hash(algorithm: LoadFileHashAlgorithm): Uint8Array;
}

/**
 * What a package will take on a card, in bytes of non-volatile memory: an estimate, because every card keeps it in its own way.
 */
interface MemoryEstimate {
  /** What stays: code, constants and the static fields' image. */
  readonly resident: number;
  /** Of that, the static fields and the arrays that are made with them. */
  readonly statics: number;
  /** What a card may need while it loads: everything that is sent. */
  readonly loading: number;
}

/** A package, read and checked. */
interface CapFile {
  readonly package: PackageReference;
  readonly format: CapFormat;
  /** Least version of Java Card that the imports ask for, e.g. "2.2.2"; undefined when they do not tell. */
  readonly javaCard: string | undefined;
  readonly applets: readonly Aid[];
  readonly imports: readonly PackageReference[];
  /** Bytes of each component that is there, tag and size included. */
  readonly sizes: Readonly<Partial<Record<ComponentName, number>>>;
  /** A vendor's own components, which are not sent. */
  readonly custom: CapDirectory['custom'];
  readonly memory: MemoryEstimate;
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

/**
 * Reads a CAP file: a JAR with one package's components in any order and folder, a JAR around such a file, or the components
 * one behind the other (IJC).
 * @throws CapFileError naming the component and offset of what is damaged; component "archive" for the archive itself.
 * @throws ExtendedCapFileError for an extended CAP file.
 */
export function readCapFile(bytes: Uint8Array): CapFile {
  const components = readComponents(bytes);
  const part = (name: ComponentName) => {
    const component = components.get(name);
    if (component === undefined) throw new CapFileError(name, 'component missing', 0);
    return component;
  };
  const header = readHeader(part('Header'));
  for (const name of REQUIRED) part(name);
  const imports = readImports(part('Import'));
  const applets = header.applets ? readApplets(part('Applet')) : [];
  const directory = readDirectory(part('Directory'), header.format);
  checkDirectory(directory, components, { imports: imports.length, applets: applets.length });

  const sent = (descriptor: boolean): Uint8Array => {
    if (descriptor) part('Descriptor');
    const names = LOAD_ORDER.filter((name) => descriptor || name !== 'Descriptor');
    return concat(...names.map((name) => components.get(name) ?? new Uint8Array(0)));
  };
  const sizes: Partial<Record<ComponentName, number>> = {};
  for (const [name, component] of components) sizes[name] = component.length;
  return {
    package: { aid: header.aid, version: header.version },
    format: header.format,
    javaCard: javaCardVersion(imports),
    applets,
    imports,
    sizes,
    custom: directory.custom,
    memory: estimate(directory, sent(false).length),
    loadFile: ({ descriptor = false } = {}) => loadFileOf(sent(descriptor), descriptor),
    blockCount: (blockSize, { descriptor = false } = {}) => blockCount(sent(descriptor), blockSize),
  };
}

function loadFileOf(bytes: Uint8Array, descriptor: boolean): LoadFile {
  const hash = (algorithm: LoadFileHashAlgorithm) =>
    Uint8Array.from(createHash(algorithm).update(bytes).digest());
  return { bytes, descriptor, sha1: hash('sha1'), sha256: hash('sha256'), hash };
}

/** Components whose content a card keeps; the others are used up while it links the package. */
const RESIDENT: readonly ComponentName[] = [
  'Applet',
  'Import',
  'ConstantPool',
  'Class',
  'Method',
  'Export',
  'StaticResources',
];

function estimate(directory: CapDirectory, loading: number): MemoryEstimate {
  const statics = directory.staticImage + directory.staticArrays;
  const kept = RESIDENT.reduce((sum, name) => sum + (directory.sizes[name] ?? 0), 0);
  return { resident: kept + statics, statics, loading };
}

function checkDirectory(
  directory: CapDirectory,
  components: Components,
  counted: { readonly imports: number; readonly applets: number },
): void {
  for (const [name, size] of Object.entries(directory.sizes)) {
    if (!isComponentName(name)) continue;
    const component = components.get(name);
    if (component !== undefined && component.length - headBytes(name) !== size)
      throw new CapFileError('Directory', `another size of ${name} than it has`, sizeOffset(name));
    // Descriptor and Debug may have been taken out of the archive; nothing else may.
    const optional = name === 'Descriptor' || name === 'Debug';
    if (component === undefined && size !== 0 && !optional)
      throw new CapFileError(name, 'component missing', 0);
  }
  if (directory.imports !== counted.imports)
    throw new CapFileError('Directory', 'another number of imports than there are', 3);
  if (directory.applets !== counted.applets)
    throw new CapFileError('Directory', 'another number of applets than there are', 3);
}
