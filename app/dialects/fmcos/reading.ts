/**
 * What may be known of an FMCOS app without keys: its state, its balance, and the one challenge that opens a job. This is all that a
 * station gets of the dialect; what builds key commands stays with the server.
 */
import type { CommandApdu } from '../../card/apdu.ts';
import { fromHex } from '../../card/bytes.ts';
import type { Opening } from '../../protocol/wire.ts';
import type { AppReading } from '../dialect.ts';
import { FmcosFormatError } from './errors.ts';
import { kindsOf } from './guard.ts';
import type { FmcosRule } from './rule.ts';

/** Commands of an enabling that need a fresh challenge each: authenticate, two key writes, the enabled flag. */
const CHALLENGES = 4;

/** SELECT's answers 6283 (ISO/IEC 7816-4) and 9303: the app is there, and blocked. */
const BLOCKED = [0x6283, 0x9303];

export function reading(rule: FmcosRule): AppReading {
  const { shortFileId, length } = rule.publicFile;
  return {
    dialect: rule.dialect,
    look: {
      command: readBinary(shortFileId, 0, length),
      isEnabled: (data) => readEnabledFlag(data, ENABLED_FLAG_OFFSET) === true,
      blocked: BLOCKED,
    },
    balance: { command: getBalance(), data: balanceData, amount: parseBalance },
    plan: {
      enable: CHALLENGES,
      // One for the authentication, one for each key write.
      renew: (writes) => 1 + writes,
      opening: getChallenge(),
      takeOpening,
    },
    kindOf: kindsOf(rule),
  };
}

/** The challenge, when the card gave 4 bytes. */
function takeOpening(opening: Opening) {
  const challenge = fromHex(opening.challenge);
  const accepted =
    opening.select.endsWith('9000') && opening.challenge.endsWith('9000') && challenge.length === 6;
  return accepted ? { challenge: opening.challenge.slice(0, -4) } : undefined;
}

/** GET CHALLENGE of 4 bytes; valid for the very next command only. */
export function getChallenge(): CommandApdu {
  return { cla: 0x00, ins: 0x84, p1: 0x00, p2: 0x00, le: 4 };
}

/** Offset of the enabled flag. */
export const ENABLED_FLAG_OFFSET = 8;

/** Whether the app says it is enabled; undefined when there is no byte at `offset`, or one that is neither 00 nor 01. */
export function readEnabledFlag(data: Uint8Array, offset: number): boolean | undefined {
  const flag = data[offset];
  return flag === 1 ? true : flag === 0 ? false : undefined;
}

/** READ BINARY by short file id, `length` 1 to 256 bytes from `offset`. @throws FmcosFormatError */
export function readBinary(sfi: number, offset: number, length: number): CommandApdu {
  if (!Number.isInteger(length) || length < 1 || length > 256)
    throw new FmcosFormatError('READ BINARY', 'length outside 1 to 256');
  return { cla: 0x00, ins: 0xb0, p1: shortFile(sfi), p2: byteOffset(offset), le: length };
}

/** GET BALANCE of the electronic wallet (PBOC). */
export function getBalance(): CommandApdu {
  return { cla: 0x80, ins: 0x5c, p1: 0x00, p2: 0x02, le: 4 };
}

/** What GET BALANCE answers for so many cents. */
function balanceData(cents: number): Uint8Array {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setUint32(0, cents);
  return data;
}

/** The balance in cents; undefined when the data are not 4 bytes. */
export function parseBalance(data: Uint8Array): number | undefined {
  return data.length === 4 ? new DataView(data.buffer, data.byteOffset, 4).getUint32(0) : undefined;
}

/** P1 that names a file by its short id. @throws FmcosFormatError */
export function shortFile(sfi: number): number {
  // ISO/IEC 7816-4 §7.3.2: bits 8 to 6 are 100, then five bits of short file id; 0 and 31 name no file.
  if (!Number.isInteger(sfi) || sfi < 1 || sfi > 30)
    throw new FmcosFormatError('short file id', 'outside 1 to 30');
  return 0x80 | sfi;
}

/** P2: where in the file, 0 to 255. @throws FmcosFormatError */
export function byteOffset(offset: number): number {
  if (!Number.isInteger(offset) || offset < 0 || offset > 255)
    throw new FmcosFormatError('file offset', 'outside 0 to 255');
  return offset;
}
