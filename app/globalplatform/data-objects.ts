/** Reading BER-TLV with errors that name what was read. */
import { readTlvs, type Tlv, TlvError } from '../card/tlv.ts';
import { GpFormatError } from './errors.ts';

/** All data objects of `data`, one level deep. @throws GpFormatError */
export function readObjects(data: Uint8Array, what: string): Tlv[] {
  try {
    return readTlvs(data);
  } catch (error) {
    if (error instanceof TlvError)
      throw new GpFormatError(what, error.message.replace(/ at offset \d+$/, ''), error.offset);
    throw error;
  }
}

/** The value of the object `tag`, which must be the first of `data`. @throws GpFormatError */
export function readObject(data: Uint8Array, tag: number, what: string): Uint8Array {
  const object = readObjects(data, what)[0];
  if (object === undefined) throw new GpFormatError(what, 'empty', 0);
  if (object.tag !== tag) throw new GpFormatError(what, 'another object', 0);
  return object.value;
}
