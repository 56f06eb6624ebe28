/** INITIALIZE UPDATE and what the card says to it (GPC 2.3.1 §E.5.1, Amendment D §7.1.1). */
import type { CommandApdu } from '../card/apdu.ts';
import { GpFormatError } from './errors.ts';

const WHAT = 'INITIALIZE UPDATE answer';

interface InitializeUpdateCommon {
  /** Key diversification data, 10 bytes. */
  readonly keyDiversificationData: Uint8Array;
  /** Version number of the key set the card used. */
  readonly keyVersion: number;
  readonly cardChallenge: Uint8Array;
  readonly cardCryptogram: Uint8Array;
}

/** Answer of a card that speaks SCP02: 2-byte sequence counter, 6-byte challenge, 8-byte cryptogram. */
interface Scp02InitializeUpdate extends InitializeUpdateCommon {
  readonly scp: '02';
  readonly sequenceCounter: Uint8Array;
}

/** Answer of a card that speaks SCP03: challenge and cryptogram of 8 bytes each, or 16 each in S16 mode. */
interface Scp03InitializeUpdate extends InitializeUpdateCommon {
  readonly scp: '03';
  readonly i: number;
  /** 3 bytes, present where challenges are pseudo-random (i bit 10). */
  readonly sequenceCounter?: Uint8Array;
}

export type InitializeUpdate = Scp02InitializeUpdate | Scp03InitializeUpdate;

/**
 * INITIALIZE UPDATE with the key set `keyVersion` (0: the card's first choice) and a host challenge of 8 bytes (16 for S16).
 * @throws RangeError when either does not fit.
 */
export function initializeUpdate(keyVersion: number, hostChallenge: Uint8Array): CommandApdu {
  if (!Number.isInteger(keyVersion) || keyVersion < 0 || keyVersion > 0xff)
    throw new RangeError('key version number outside 0..255');
  if (hostChallenge.length !== 8 && hostChallenge.length !== 16)
    throw new RangeError('host challenge of another length than 8 or 16');
  return { cla: 0x80, ins: 0x50, p1: keyVersion, p2: 0x00, data: hostChallenge.slice(), le: 256 };
}

/**
 * Reads the data of a 9000 answer, without its status word.
 * @throws GpFormatError when it is not the answer of SCP02 or SCP03.
 */
export function parseInitializeUpdate(data: Uint8Array): InitializeUpdate {
  const keyVersion = data[10];
  const protocol = data[11];
  if (keyVersion === undefined || protocol === undefined)
    throw new GpFormatError(WHAT, 'cut short', data.length);
  const common = { keyDiversificationData: data.slice(0, 10), keyVersion };
  if (protocol === 0x02) {
    expectLength(data, 28);
    return {
      scp: '02',
      ...common,
      sequenceCounter: data.slice(12, 14),
      cardChallenge: data.slice(14, 20),
      cardCryptogram: data.slice(20, 28),
    };
  }
  if (protocol !== 0x03) throw new GpFormatError(WHAT, 'neither SCP02 nor SCP03', 11);
  const i = data[12];
  if (i === undefined) throw new GpFormatError(WHAT, 'cut short', data.length);
  const size = (i & 0x01) !== 0 ? 16 : 8;
  const end = 13 + 2 * size;
  const counted = (i & 0x10) !== 0;
  // A card with predictable challenges must give the counter, because they follow from it; one with random challenges may.
  if (!counted && data.length === end) return { scp: '03', i, ...common, ...challenges(data, size) };
  expectLength(data, end + 3);
  return {
    scp: '03',
    i,
    ...common,
    ...challenges(data, size),
    sequenceCounter: data.slice(end),
  };
}

function challenges(data: Uint8Array, size: number) {
  return { cardChallenge: data.slice(13, 13 + size), cardCryptogram: data.slice(13 + size, 13 + 2 * size) };
}

function expectLength(data: Uint8Array, length: number): void {
  if (data.length < length) throw new GpFormatError(WHAT, 'cut short', data.length);
  if (data.length > length) throw new GpFormatError(WHAT, 'bytes left over', length);
}
