/**
 * What a body may look like before anybody parses it. A parser calls itself for every bracket, and a check of the parsed value names everything
 * that is wrong: a megabyte of brackets or of commas would hold up every other station for seconds.
 */

/** Deeper than any message of the wire, several times. */
const DEEPEST = 64;
/** Members and elements of a whole body; the longest message of the wire has some hundreds. */
const MOST_VALUES = 4_096;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Why the JSON text in `bytes` (UTF-8) is not parsed at all; undefined when it may be. Whether it is JSON, the parser says. */
export function faultOfShape(bytes: Uint8Array): string | undefined {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (OPENING.has(byte)) {
      depth += 1;
      if (depth > DEEPEST) return 'the body is too deep';
    } else if (CLOSING.has(byte)) depth -= 1;
    else if (byte === COMMA) {
      values += 1;
      if (values > MOST_VALUES) return 'the body has too many members';
    }
  }
  return undefined;
}

/** Place of the quote that ends the string which begins at `from`; the end of the bytes when none does. */
function endOfString(bytes: Uint8Array, from: number): number {
  for (let at = from + 1; at < bytes.length; at += 1) {
    if (bytes[at] === BACKSLASH) at += 1;
    else if (bytes[at] === QUOTE) return at;
  }
  return bytes.length;
}
