/** What a card tells without keys through GET DATA (GPC 2.3.1 §11.3.3, annex H). Each reader takes the data of a 9000 answer. */
import type { Tlv } from '../card/tlv.ts';
import { readObject, readObjects } from './data-objects.ts';
import { GpFormatError } from './errors.ts';

/** One secure channel protocol a card offers: SCP number and options i. */
interface OfferedProtocol {
  readonly scp: number;
  readonly i: number;
}

/** Card data, 0066 (GPC 2.3.1 §H.2). */
export interface CardData {
  /** Version of the card specification as the card names it, e.g. "2.3.1". */
  readonly gpVersion?: string;
  readonly protocols: readonly OfferedProtocol[];
}

/** {globalPlatform} = 1.2.840.114283, the root of all identifiers in card data; some cards made in China have it below 1.2.156. */
const GLOBAL_PLATFORM = [
  [1, 2, 840, 114283],
  [1, 2, 156, 114283],
];

/**
 * Card data, 0066: which protocols the security domain speaks.
 * @throws GpFormatError
 */
export function parseCardData(data: Uint8Array): CardData {
  const what = 'card data (0066)';
  // Some cards leave the outer object out, others have it twice.
  let recognition = data[0] === 0x73 ? data : readObject(data, 0x66, what);
  if (recognition[0] === 0x66) recognition = readObject(recognition, 0x66, what);
  const objects = readObjects(readObject(recognition, 0x73, what), what);
  const protocols: OfferedProtocol[] = [];
  let gpVersion: string | undefined;
  for (const object of objects) {
    if (object.tag === 0x60) gpVersion = gpArcs(object.value, 2, what)?.join('.');
    if (object.tag !== 0x64) continue;
    // One object 64 may hold several identifiers: {globalPlatform 4 scp i}.
    for (const identifier of readObjects(object.value, what)) {
      const arcs = identifierArcs(identifier, 4, what);
      if (arcs?.[0] !== undefined && arcs[1] !== undefined) protocols.push({ scp: arcs[0], i: arcs[1] });
    }
  }
  return gpVersion === undefined ? { protocols } : { gpVersion, protocols };
}

/**
 * Key diversification data, 00CF.
 * @throws GpFormatError
 */
export function parseKeyDiversificationData(data: Uint8Array): Uint8Array {
  return readObject(data, 0xcf, 'key diversification data (00CF)');
}

/**
 * Sequence counter of the default key version, 00C1: 2 bytes (SCP02) or 3 (SCP03).
 * @throws GpFormatError
 */
export function parseSequenceCounter(data: Uint8Array): Uint8Array {
  const what = 'sequence counter (00C1)';
  const value = readObject(data, 0xc1, what);
  if (value.length !== 2 && value.length !== 3)
    throw new GpFormatError(what, 'of another length than 2 or 3', 2);
  return value;
}

function gpArcs(value: Uint8Array, branch: number, what: string): number[] | undefined {
  const identifier = readObjects(value, what)[0];
  return identifier === undefined ? undefined : identifierArcs(identifier, branch, what);
}

/** The arcs behind {globalPlatform branch}, undefined for an identifier of another root. */
function identifierArcs(identifier: Tlv, branch: number, what: string): number[] | undefined {
  if (identifier.tag !== 0x06) return undefined;
  const arcs = decodeIdentifier(identifier.value, what);
  const roots = GLOBAL_PLATFORM.map((root) => [...root, branch]);
  const root = roots.find((one) => one.every((arc, i) => arcs[i] === arc));
  return root === undefined ? undefined : arcs.slice(root.length);
}

/** An object identifier's arcs (ISO/IEC 8825-1 §8.19). */
function decodeIdentifier(value: Uint8Array, what: string): number[] {
  const arcs: number[] = [];
  let arc = 0;
  value.forEach((byte, at) => {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > 0xffffffff) throw new GpFormatError(what, 'object identifier arc too large', at);
    if ((byte & 0x80) !== 0) return;
    arcs.push(arc);
    arc = 0;
  });
  if (((value[value.length - 1] ?? 0x80) & 0x80) !== 0)
    throw new GpFormatError(what, 'object identifier cut short', value.length);
  const [first = 0, ...rest] = arcs;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - 40 * root, ...rest];
}
