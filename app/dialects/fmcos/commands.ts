/** FMCOS 2.0 commands as values. What needs a key is asked of the port, so the same builders serve an HSM and a test. */
import { type Aid, aidBytes } from '../../card/aid.ts';
import type { CommandApdu } from '../../card/apdu.ts';
import { concat } from '../../card/bytes.ts';
import { FmcosFormatError } from './errors.ts';
import type { FmcosKeys, KeyWriteRequest } from './keys.ts';
import { byteOffset, shortFile } from './reading.ts';

export { getBalance, getChallenge, parseBalance, readBinary } from './reading.ts';

const MAC_LENGTH = 4;
const KEY_WRITE_LENGTH = 28;

/** SELECT of an application. It voids an outstanding challenge and sets the security state to 0. */
export function selectApplication(aid: Aid): CommandApdu {
  return { cla: 0x00, ins: 0xa4, p1: 0x04, p2: 0x00, data: aidBytes(aid), le: 256 };
}

/**
 * EXTERNAL AUTHENTICATE with key 39 `keyId` (00 the master control key). 4-byte challenges only: choosing all 8 bytes would let
 * a station have any block enciphered.
 * @throws FmcosFormatError for another challenge length; whatever the port throws.
 */
export async function externalAuthenticate<K>(
  keys: FmcosKeys<K>,
  key: K,
  challenge: Uint8Array,
  keyId = 0x00,
): Promise<CommandApdu> {
  checkChallenge(challenge);
  const data = await keys.cryptogram(key, challenge);
  checkLength(data, 8, 'authentication cryptogram');
  return { cla: 0x00, ins: 0x82, p1: 0x00, p2: keyId, data };
}

/**
 * WRITE KEY (replace), encrypted and MACed under the existing key 39/00: `84 D4 p1 id 1C …`.
 * @throws FmcosFormatError; whatever the port throws.
 */
export async function writeKey<K>(keys: FmcosKeys<K>, request: KeyWriteRequest<K>): Promise<CommandApdu> {
  checkChallenge(request.challenge);
  const { p1, keyId, header } = request;
  if (p1 !== 0x39 && p1 !== 0x36) throw new FmcosFormatError('key write', 'P1 that is neither 39 nor 36');
  // Plain 39 or 36 inside would make the card take every later write in clear.
  if (header.typeInside !== (p1 | 0xc0))
    throw new FmcosFormatError('key write', 'type inside that is not P1 with C0');
  const data = await keys.keyWrite(request);
  checkLength(data, KEY_WRITE_LENGTH, 'key write');
  return { cla: 0x84, ins: 0xd4, p1, p2: keyId, data };
}

/** Where to write in a transparent file, and what. `offset` 0 to 255, `challenge` 4 bytes. */
interface BinaryUpdate {
  readonly sfi: number;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly challenge: Uint8Array;
}

/**
 * UPDATE BINARY by short file id with MAC under the maintenance key: `04 D6 (80+sfi) offset len+4 data MAC`.
 * @throws FmcosFormatError when the update does not fit one command; whatever the port throws.
 */
export async function updateBinaryWithMac<K>(
  keys: FmcosKeys<K>,
  key: K,
  update: BinaryUpdate,
): Promise<CommandApdu> {
  const { sfi, offset, data, challenge } = update;
  checkChallenge(challenge);
  if (data.length === 0 || data.length > 255 - MAC_LENGTH)
    throw new FmcosFormatError('UPDATE BINARY', 'data of another length than 1 to 251');
  const p1 = shortFile(sfi);
  const p2 = byteOffset(offset);
  const header = Uint8Array.of(0x04, 0xd6, p1, p2, data.length + MAC_LENGTH);
  const mac = await keys.mac(key, challenge, concat(header, data));
  checkLength(mac, MAC_LENGTH, 'secure-messaging MAC');
  return { cla: 0x04, ins: 0xd6, p1, p2, data: concat(data, mac) };
}

function checkChallenge(challenge: Uint8Array): void {
  checkLength(challenge, 4, 'challenge');
}

function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new FmcosFormatError(what, `of another length than ${length}`);
}
