/** Key information, GET DATA 00E0: which keys a security domain has (GPC 2.3.1 §11.3.3.1). */
import { readObject, readObjects } from './data-objects.ts';
import { GpFormatError } from './errors.ts';

const WHAT = 'key information (00E0)';

/** Type and length in bytes of one component of a key; 80 DES, 88 AES, others as in GPC 2.3.1 table 11-16. */
interface KeyComponent {
  readonly type: number;
  readonly length: number;
}

/** One key: its identifier within its version, its version number, its components. */
export interface KeyInformation {
  readonly keyId: number;
  readonly keyVersion: number;
  readonly components: readonly KeyComponent[];
}

/**
 * Reads the key information template, basic and extended form (a type of FF introduces the extended one).
 * @throws GpFormatError
 */
export function parseKeyInformation(data: Uint8Array): KeyInformation[] {
  return readObjects(readObject(data, 0xe0, WHAT), WHAT)
    .filter((object) => object.tag === 0xc0)
    .map((object) => keyOf(object.value));
}

function keyOf(value: Uint8Array): KeyInformation {
  const [keyId, keyVersion] = value;
  if (keyId === undefined || keyVersion === undefined || value.length < 4)
    throw new GpFormatError(WHAT, 'key cut short', value.length);
  return {
    keyId,
    keyVersion,
    components: value[2] === 0xff ? extendedComponents(value) : basicComponents(value),
  };
}

function basicComponents(value: Uint8Array): KeyComponent[] {
  if (value.length % 2 !== 0) throw new GpFormatError(WHAT, 'component cut short', value.length);
  const components: KeyComponent[] = [];
  for (let at = 2; at < value.length; at += 2)
    components.push({ type: value[at] ?? 0, length: value[at + 1] ?? 0 });
  return components;
}

/**
 * Type (after FF) and 2-byte length of each component; then key usage and key access, each with its length of 0 to 2, which we
 * do not need. Some cards leave the FF out from the second component on; types begin at 80, so that shows.
 */
function extendedComponents(value: Uint8Array): KeyComponent[] {
  const components: KeyComponent[] = [];
  let at = 2;
  while ((value[at] ?? 0) > 0x02) {
    if (value[at] === 0xff) at += 1;
    const [type, high, low] = value.slice(at, at + 3);
    if (type === undefined || high === undefined || low === undefined)
      throw new GpFormatError(WHAT, 'component cut short', at);
    components.push({ type, length: (high << 8) | low });
    at += 3;
  }
  return components;
}
