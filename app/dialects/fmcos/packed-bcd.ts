/** Decimal digits as cards keep them: two a byte (packed BCD). */
import { fromHex } from '../../card/bytes.ts';
import { FmcosFormatError } from './errors.ts';

/** Decimal digits as packed BCD in `bytes` bytes, left-padded with 0. @throws FmcosFormatError */
export function packedBcd(digits: string, bytes: number, what: string): Uint8Array {
  if (!/^[0-9]+$/.test(digits)) throw new FmcosFormatError(what, 'not decimal digits');
  if (digits.length > 2 * bytes) throw new FmcosFormatError(what, `more than ${2 * bytes} digits`, 2 * bytes);
  return fromHex(digits.padStart(2 * bytes, '0'));
}
