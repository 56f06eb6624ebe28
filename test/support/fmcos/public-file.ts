/** The public file 0015 read as a terminal in a shop would read it, so that what enabling writes is checked by another hand. */
import { toHex } from '../../../app/card/bytes.ts';

/** What the 30 bytes say. Account without leading zeros; dates as YYYYMMDD; both empty while the file holds none. */
export function readPublicFile(bytes: Uint8Array) {
  const text = toHex(bytes);
  if (!/^[0-9A-F]{16}0[01][0-9A-F]{2}[0-9]{20}[0-9]{16}0000$/.test(text))
    throw new Error(`not a public file: ${text}`);
  const date = (at: number) => text.slice(at, at + 8).replace(/^0+$/, '');
  return {
    issuer: text.slice(0, 16),
    enabled: text.slice(16, 18) === '01',
    version: Number.parseInt(text.slice(18, 20), 16),
    account: text.slice(20, 40).replace(/^0+/, ''),
    enabledOn: date(40),
    validUntil: date(48),
  };
}
