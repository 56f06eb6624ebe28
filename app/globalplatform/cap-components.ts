/** The components of a CAP file, and what the few of them that we read say (JCVM specification 2.2.2, 3.0.5 and 3.1, chapter 6). */
import type { Aid } from '../card/aid.ts';

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

/**
 * An extended CAP file (JCVM 3.1 §6.4, ACC_EXTENDED): several packages in one, with components over 64 KB. Cards take them
 * only where they say so, and none of ours does.
 */
export class ExtendedCapFileError extends CapFileError {
  constructor(offset: number) {
    super('Header', 'an extended CAP file (several packages in one), which is not supported,', offset);
    this.name = 'ExtendedCapFileError';
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
  /** From format 2.3 on; its size has 4 bytes. */
  StaticResources: 13,
} as const;

/** Tags from here on are a vendor's own components (§6.2). */
export const FIRST_CUSTOM_TAG = 128;

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
  'StaticResources',
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
interface PackageVersion {
  readonly major: number;
  readonly minor: number;
}

/** A package by AID and version: the CAP file's own, or one it imports. */
export interface PackageReference {
  readonly aid: Aid;
  readonly version: PackageVersion;
}

/** Version of the CAP file format: 2.1 until Java Card 2.1.1, 2.2 until 3.0.5, 2.3 from 3.1 on. */
export const CAP_FORMATS = ['2.1', '2.2', '2.3'] as const;
export type CapFormat = (typeof CAP_FORMATS)[number];

/** What the Header component says. */
export interface CapHeader extends PackageReference {
  readonly format: CapFormat;
  /** Whether the package has applets, and whether it exports. */
  readonly applets: boolean;
  readonly exports: boolean;
}

/** Whether `name` names a component. */
export function isComponentName(name: string): name is ComponentName {
  return Object.hasOwn(COMPONENT_TAGS, name);
}

/** What the Directory component says of the others. */
export interface CapDirectory {
  /** Sizes without tag and size, by name. */
  readonly sizes: Readonly<Partial<Record<ComponentName, number>>>;
  /** Bytes of the static fields' image, and of the arrays that are made with it. */
  readonly staticImage: number;
  readonly staticArrays: number;
  readonly imports: number;
  readonly applets: number;
  /** A vendor's own components, by the AID that names each. */
  readonly custom: readonly { readonly aid: Aid; readonly tag: number; readonly size: number }[];
}
