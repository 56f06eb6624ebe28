/**
 * Text out of files that people write. Editors on Windows put a byte order mark before it, or write UTF-16; taken for plain UTF-8 such a file
 * is "not JSON", although whoever wrote it sees nothing wrong with it. Pure.
 */

/** The bytes are text in no encoding that we read. The message is for whoever wrote the file, and repeats nothing of it. */
export class TextFileError extends Error {
  constructor() {
    super('is not text in UTF-8 or UTF-16 with a byte order mark; save it as UTF-8');
    this.name = 'TextFileError';
  }
}

const MARKS = {
  'utf-8': [0xef, 0xbb, 0xbf],
  'utf-16le': [0xff, 0xfe],
  'utf-16be': [0xfe, 0xff],
} as const;
type Encoding = keyof typeof MARKS;

/** The encoding whose byte order mark the bytes begin with. */
export function byteOrderMark(bytes: Uint8Array): Encoding | undefined {
  const marks = Object.entries(MARKS) as [Encoding, readonly number[]][];
  return marks.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte))?.[0];
}

/**
 * The text, without its byte order mark. Without a mark it is UTF-8.
 * @throws TextFileError where bytes are no text, and for UTF-16 without a mark, which nobody can tell from other bytes for certain
 */
export function decodeTextFile(bytes: Uint8Array): string {
  const encoding = byteOrderMark(bytes) ?? 'utf-8';
  const body = bytes.subarray(byteOrderMark(bytes) === undefined ? 0 : MARKS[encoding].length);
  // A character 0 stands in no text, but in every second byte of UTF-16 as Western languages write it.
  if (encoding === 'utf-8') {
    if (body.includes(0)) throw new TextFileError();
    return decode('utf-8', body);
  }
  if (body.length % 2 !== 0) throw new TextFileError();
  return decode('utf-16le', encoding === 'utf-16be' ? swapped(body) : body);
}

function decode(encoding: 'utf-8' | 'utf-16le', body: Uint8Array): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(body);
  } catch {
    throw new TextFileError();
  }
}

/** The two bytes of each character the other way round. */
function swapped(body: Uint8Array): Uint8Array {
  return body.map((_, at) => body[at ^ 1] ?? 0);
}
