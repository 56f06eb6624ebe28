/** Card capability information, GET DATA 0067: what a card's security domains can do (GPC 2.3.1 §H.4). */
import type { Tlv } from '../card/tlv.ts';
import { readObject, readObjects } from './data-objects.ts';
import { GpFormatError } from './errors.ts';

const WHAT = 'card capability information (0067)';
const TAG = 0x67;

/** One secure channel protocol: its number, the options i it is offered with, and for SCP03 its key sizes in bytes. */
export interface ProtocolCapability {
  readonly scp: number;
  readonly options: readonly number[];
  readonly keyLengths: readonly number[];
}

/** Hashes of a load file data block that a card knows (table H-10). */
export type LoadFileHash = 'sha-1' | 'sha-256' | 'sha-384' | 'sha-512';

/** What a card can do; what it does not tell is absent or empty. Cipher suites and privileges as the bit maps they are. */
export interface CardCapabilities {
  readonly protocols: readonly ProtocolCapability[];
  /** Privileges that a security domain, and any other application, may be given: 3 bytes. */
  readonly securityDomainPrivileges?: Uint8Array;
  readonly applicationPrivileges?: Uint8Array;
  readonly loadFileHashes: readonly LoadFileHash[];
  readonly loadFileCiphers?: Uint8Array;
  readonly tokenCiphers?: Uint8Array;
  readonly receiptCiphers?: Uint8Array;
  readonly dapCiphers?: Uint8Array;
  readonly keyParameterReferences?: Uint8Array;
}

const HASHES: Readonly<Record<number, LoadFileHash>> = {
  1: 'sha-1',
  2: 'sha-256',
  3: 'sha-384',
  4: 'sha-512',
};
const KEY_LENGTHS = [
  [0x01, 16],
  [0x02, 24],
  [0x04, 32],
] as const;

const FIELDS = [
  [0x81, 'securityDomainPrivileges'],
  [0x82, 'applicationPrivileges'],
  [0x84, 'loadFileCiphers'],
  [0x85, 'tokenCiphers'],
  [0x86, 'receiptCiphers'],
  [0x87, 'dapCiphers'],
  [0x88, 'keyParameterReferences'],
] as const;

/**
 * Reads the data of a 9000 answer. Some cards wrap the object in itself once more.
 * @throws GpFormatError
 */
export function parseCardCapabilities(data: Uint8Array): CardCapabilities {
  let objects = readObjects(readObject(data, TAG, WHAT), WHAT);
  const [only, ...others] = objects;
  if (only?.tag === TAG && others.length === 0) objects = readObjects(only.value, WHAT);
  const value = (tag: number) => objects.find((object) => object.tag === tag)?.value;
  const fields = FIELDS.flatMap(([tag, name]) => {
    const bytes = value(tag);
    return bytes === undefined ? [] : [[name, bytes] as const];
  });
  return {
    protocols: objects.filter((object) => object.tag === 0xa0).map(protocolOf),
    loadFileHashes: [...(value(0x83) ?? [])].flatMap((byte) => HASHES[byte] ?? []),
    ...Object.fromEntries(fields),
  };
}

function protocolOf(object: Tlv): ProtocolCapability {
  const objects = readObjects(object.value, WHAT);
  const value = (tag: number) => objects.find((one) => one.tag === tag)?.value;
  const scp = value(0x80)?.[0];
  if (scp === undefined) throw new GpFormatError(WHAT, 'a secure channel protocol without its number', 0);
  const sizes = value(0x82)?.[0] ?? 0;
  return {
    scp,
    options: [...(value(0x81) ?? [])],
    keyLengths: KEY_LENGTHS.filter(([bit]) => (sizes & bit) !== 0).map(([, bytes]) => bytes),
  };
}
