/**
 * What goes over the vault's socket: frames of a length, a head in JSON, and behind it the bytes that the message holds. Bytes never become
 * text, which nobody can wipe; and nothing that comes in is read by anything but JSON.parse and the schemas.
 */
import { wipe } from '../../card/bytes.ts';

/** Lengths of the frame behind this field, and of the head in it; 4 bytes each. */
const FIELD = 4;
/** Stands in the head where bytes were: their place and length behind it. */
const MARK = '$bytes';

/** A message of another form than this protocol's; the connection is of no use any more. */
export class FrameError extends Error {}

/** A message as a frame of its own memory, which the sender wipes when it is sent. `Uint8Array`s may stand anywhere in it. */
export function encodeFrame(message: unknown): Buffer {
  const parts: Uint8Array[] = [];
  let at = 0;
  const head = Buffer.from(
    JSON.stringify(message, function (this: object, name, value: unknown) {
      // As it stands in the message: a Buffer is asked for its own JSON before it comes here, and would be text by then.
      const own: unknown = Reflect.get(this, name);
      if (!(own instanceof Uint8Array)) return value;
      parts.push(own);
      at += own.length;
      return { [MARK]: [at - own.length, own.length] };
    }),
  );
  const frame = Buffer.alloc(2 * FIELD + head.length + at);
  frame.writeUInt32BE(FIELD + head.length + at, 0);
  frame.writeUInt32BE(head.length, FIELD);
  head.copy(frame, 2 * FIELD);
  let place = 2 * FIELD + head.length;
  for (const part of parts) {
    frame.set(part, place);
    place += part.length;
  }
  return frame;
}

/** Puts frames together from what a socket gives. */
export class FrameReader {
  readonly #longest: number;
  #held: Buffer = Buffer.alloc(0);

  /** `longest`: of a frame, in bytes. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** The messages that are whole now; `chunk` is wiped. Their bytes are copies of their own. @throws FrameError */
  take(chunk: Buffer): unknown[] {
    const held = Buffer.concat([this.#held, chunk]);
    wipe(this.#held, chunk);
    const messages: unknown[] = [];
    let at = 0;
    while (held.length - at >= FIELD) {
      const length = held.readUInt32BE(at);
      if (length > this.#longest || length < FIELD)
        throw new FrameError('a frame of a length that is not allowed');
      if (held.length - at < FIELD + length) break;
      messages.push(decode(held.subarray(at + FIELD, at + FIELD + length)));
      at += FIELD + length;
    }
    this.#held = Buffer.from(held.subarray(at));
    wipe(held);
    return messages;
  }
}

function decode(frame: Buffer): unknown {
  const headLength = frame.readUInt32BE(0);
  if (headLength > frame.length - FIELD) throw new FrameError('a head longer than its frame');
  const bytes = frame.subarray(FIELD + headLength);
  try {
    return JSON.parse(frame.toString('utf8', FIELD, FIELD + headLength), (_, value: unknown) =>
      marked(value, bytes),
    );
  } catch (error) {
    // Also a nesting that JSON.parse cannot follow.
    throw error instanceof FrameError ? error : new FrameError('a head that is not JSON');
  }
}

function marked(value: unknown, bytes: Buffer): unknown {
  if (typeof value !== 'object' || value === null || !(MARK in value)) return value;
  const place: unknown = value[MARK];
  if (!Array.isArray(place) || place.length !== 2) throw new FrameError('bytes without a place');
  const [at, length]: unknown[] = place;
  const fits = isCount(at) && isCount(length) && at + length <= bytes.length;
  if (!fits) throw new FrameError('bytes that are not in the frame');
  return new Uint8Array(bytes.subarray(at, at + length));
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
