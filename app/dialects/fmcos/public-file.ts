/** The public file 0015 of an application: 30 bytes (data sheet of the demo card, docs/cards/demo-card.md). */
import { concat, fromHex, toHex } from '../../card/bytes.ts';
import { packedBcd } from './algorithms.ts';
import { FmcosFormatError } from './errors.ts';

export { ENABLED_FLAG_OFFSET, readEnabledFlag } from './reading.ts';

const WHAT = 'public file 0015';

/** Short file id and length in bytes. */
export const PUBLIC_FILE_SFI = 0x15;
export const PUBLIC_FILE_LENGTH = 30;

/** Issuer identification as the cards are delivered. */
export const DELIVERED_ISSUER: Uint8Array = fromHex('4B41494B41000000');

/** What the file says. */
export interface PublicFile {
  /** Issuer identification, 8 bytes; when building, as delivered if left out. Always there after parsing. */
  readonly issuer?: Uint8Array;
  readonly enabled: boolean;
  /** Application version, one byte. */
  readonly version: number;
  /** Decimal digits, at most 20, without leading zeros; absent while the file holds none. */
  readonly account?: string;
  /** Dates as YYYYMMDD; absent while the file holds none. */
  readonly enabledOn?: string;
  readonly validUntil?: string;
}

/** The 30 bytes. @throws FmcosFormatError naming the field that does not fit. */
export function buildPublicFile(file: PublicFile): Uint8Array {
  const issuer = file.issuer ?? DELIVERED_ISSUER;
  if (issuer.length !== 8) throw new FmcosFormatError(WHAT, 'issuer of another length than 8', 0);
  if (!Number.isInteger(file.version) || file.version < 0 || file.version > 0xff)
    throw new FmcosFormatError(WHAT, 'version that is not a byte', 9);
  return concat(
    issuer,
    Uint8Array.of(file.enabled ? 0x01 : 0x00, file.version),
    packedBcd(file.account ?? '0', 10, `${WHAT}, account`),
    dateBytes(file.enabledOn, 20),
    dateBytes(file.validUntil, 24),
    new Uint8Array(2),
  );
}

/** Offset of the part that enabling writes: everything behind the issuer identification. */
export const PUBLIC_FILE_UPDATE_OFFSET = 8;

/** What enabling an app writes from `PUBLIC_FILE_UPDATE_OFFSET` on: 22 bytes, the flag set. @throws FmcosFormatError */
export function publicFileUpdate(file: {
  readonly account: string;
  readonly enabledOn: string;
  readonly validUntil: string;
  readonly version?: number;
}): Uint8Array {
  return buildPublicFile({ version: 0x01, ...file, enabled: true }).slice(PUBLIC_FILE_UPDATE_OFFSET);
}

/** Reads the 30 bytes. @throws FmcosFormatError with the offset. */
export function parsePublicFile(bytes: Uint8Array): PublicFile {
  if (bytes.length !== PUBLIC_FILE_LENGTH)
    throw new FmcosFormatError(WHAT, `of another length than ${PUBLIC_FILE_LENGTH}`, bytes.length);
  const [flag = 0, version = 0] = bytes.slice(8, 10);
  if (flag > 0x01) throw new FmcosFormatError(WHAT, 'flag that is neither 00 nor 01', 8);
  const account = digits(bytes, 10, 20).replace(/^0+/, '');
  const enabledOn = dateText(bytes, 20);
  const validUntil = dateText(bytes, 24);
  return {
    issuer: bytes.slice(0, 8),
    enabled: flag === 0x01,
    version,
    ...(account === '' ? {} : { account }),
    ...(enabledOn === undefined ? {} : { enabledOn }),
    ...(validUntil === undefined ? {} : { validUntil }),
  };
}

function digits(bytes: Uint8Array, start: number, end: number): string {
  const text = toHex(bytes.slice(start, end));
  const wrong = text.search(/[^0-9]/);
  if (wrong >= 0) throw new FmcosFormatError(WHAT, 'not a decimal digit', start + (wrong >> 1));
  return text;
}

function dateBytes(date: string | undefined, offset: number): Uint8Array {
  if (date === undefined) return new Uint8Array(4);
  if (!isDate(date)) throw new FmcosFormatError(WHAT, 'not a date YYYYMMDD', offset);
  return fromHex(date);
}

function dateText(bytes: Uint8Array, offset: number): string | undefined {
  const date = digits(bytes, offset, offset + 4);
  if (date === '00000000') return undefined;
  if (!isDate(date)) throw new FmcosFormatError(WHAT, 'not a date', offset);
  return date;
}

function isDate(text: string): boolean {
  const parts = /^([0-9]{4})([0-9]{2})([0-9]{2})$/.exec(text);
  if (parts === null) return false;
  const iso = parts.slice(1).join('-');
  const time = Date.parse(`${iso}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(iso);
}
