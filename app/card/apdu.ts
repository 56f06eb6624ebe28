/** Command and response APDUs (ISO/IEC 7816-4 §5), short and extended. */
import { concat } from './bytes.ts';

/** A command APDU. `le` is the number of bytes expected: absent = none, 256 (short) or 65536 (extended) = all. */
export interface CommandApdu {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data?: Uint8Array;
  readonly le?: number;
}

/** A response APDU: data and the two status bytes as one number, 0x9000 for success. */
export interface ResponseApdu {
  readonly data: Uint8Array;
  readonly sw: number;
}

/**
 * The bytes of a command, in the short form. Our hosts never need the extended one.
 * @throws RangeError when data or Le do not fit the short form.
 */
export function encodeCommand(command: CommandApdu): Uint8Array {
  const data = command.data ?? new Uint8Array(0);
  if (data.length > 255) throw new RangeError('command data longer than 255 bytes');
  if (command.le !== undefined && (command.le < 1 || command.le > 256))
    throw new RangeError('Le outside 1..256');
  return concat(
    Uint8Array.of(command.cla, command.ins, command.p1, command.p2),
    data.length > 0 ? concat(Uint8Array.of(data.length), data) : new Uint8Array(0),
    command.le === undefined ? new Uint8Array(0) : Uint8Array.of(command.le & 0xff),
  );
}

/**
 * Reads the bytes of a command in any of the four cases, short or extended.
 * @throws RangeError when the lengths do not add up.
 */
export function decodeCommand(bytes: Uint8Array): CommandApdu {
  if (bytes.length < 4) throw new RangeError('command shorter than its header');
  const [cla = 0, ins = 0, p1 = 0, p2 = 0, b5] = bytes;
  const header = { cla, ins, p1, p2 };
  if (b5 === undefined) return header;
  if (bytes.length === 5) return { ...header, le: b5 === 0 ? 256 : b5 };
  if (b5 !== 0) return withData(header, bytes, 5, b5, 1);
  if (bytes.length < 7) throw new RangeError('extended length cut short');
  const length = ((bytes[5] ?? 0) << 8) | (bytes[6] ?? 0);
  if (bytes.length === 7) return { ...header, le: length === 0 ? 65536 : length };
  return withData(header, bytes, 7, length, 2);
}

function withData(
  header: CommandApdu,
  bytes: Uint8Array,
  start: number,
  length: number,
  leBytes: 1 | 2,
): CommandApdu {
  const data = bytes.slice(start, start + length);
  const rest = bytes.slice(start + length);
  if (length === 0 || data.length !== length) throw new RangeError('Lc does not match the data');
  if (rest.length === 0) return { ...header, data };
  if (rest.length !== leBytes) throw new RangeError('bytes left after the command data');
  const le = rest.reduce((value, byte) => (value << 8) | byte, 0);
  return { ...header, data, le: le === 0 ? (leBytes === 1 ? 256 : 65536) : le };
}

/**
 * Splits a response into data and status word.
 * @throws RangeError when there are fewer than the two status bytes (a card pulled during a transmit shows as an
 * empty answer).
 */
export function decodeResponse(bytes: Uint8Array): ResponseApdu {
  if (bytes.length < 2) throw new RangeError('response shorter than its status word');
  const end = bytes.length - 2;
  return { data: bytes.slice(0, end), sw: ((bytes[end] ?? 0) << 8) | (bytes[end + 1] ?? 0) };
}

/** The bytes of a response. */
export function encodeResponse(response: ResponseApdu): Uint8Array {
  return concat(response.data, Uint8Array.of(response.sw >> 8, response.sw & 0xff));
}
