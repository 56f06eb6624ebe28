/** The public file 0015 of an application: what enabling writes into it (data sheet of the demo card, docs/cards/demo-card.md). */
import { concat, fromHex } from '../../card/bytes.ts';
import { FmcosFormatError } from './errors.ts';
import { packedBcd } from './packed-bcd.ts';

export { ENABLED_FLAG_OFFSET, readEnabledFlag } from './reading.ts';

const WHAT = 'public file 0015';

/** Offset of the part that enabling writes: everything behind the issuer identification. */
export const PUBLIC_FILE_UPDATE_OFFSET = 8;

/**
 * What enabling an app writes from `PUBLIC_FILE_UPDATE_OFFSET` on: flag, version, account, both dates, 22 bytes. `account` has decimal digits,
 * at most 20; dates are YYYYMMDD; `version` is one byte.
 * @throws FmcosFormatError naming the field that does not fit.
 */
export function publicFileUpdate(file: {
  readonly account: string;
  readonly enabledOn: string;
  readonly validUntil: string;
  readonly version?: number;
}): Uint8Array {
  const { version = 0x01 } = file;
  if (!Number.isInteger(version) || version < 0 || version > 0xff)
    throw new FmcosFormatError(WHAT, 'version that is not a byte', 9);
  return concat(
    Uint8Array.of(0x01, version),
    packedBcd(file.account, 10, `${WHAT}, account`),
    dateBytes(file.enabledOn, 20),
    dateBytes(file.validUntil, 24),
    new Uint8Array(2),
  );
}

function dateBytes(date: string, offset: number): Uint8Array {
  if (!isDate(date)) throw new FmcosFormatError(WHAT, 'not a date YYYYMMDD', offset);
  return fromHex(date);
}

function isDate(text: string): boolean {
  const parts = /^([0-9]{4})([0-9]{2})([0-9]{2})$/.exec(text);
  if (parts === null) return false;
  const iso = parts.slice(1).join('-');
  const time = Date.parse(`${iso}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(iso);
}
