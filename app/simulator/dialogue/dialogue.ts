/**
 * A dialogue with a card as text (docs/guide/virtual-card.md, "Dialogues"):
 *
 *     kaika-dialogue 1
 *     atr 3B 88 01 4B 41 49 53 48 4F 50 33 FD
 *     ! power on
 *     > 00A40400 00                ; SELECT the issuer security domain
 *     < 6F10 8408A000000151000000 A504 9F6501FF 9000
 *     > 80500000 08 **[8] 00       ; masked: 8 bytes, whatever they are
 *
 * `#` begins a line, and `;` the rest of one, that is for people.
 */
import { fromHex } from '../../card/bytes.ts';

/** First line. */
export const DIALOGUE_HEADER = 'kaika-dialogue 1';

/** Bytes, some of which are not known: undefined stands for a masked one. */
export type Pattern = readonly (number | undefined)[];

/** Power and reset, as the card saw them. */
export type CardEvent = 'power on' | 'power off' | 'reset' | 'power lost';

/** One line that matters. */
export type Step =
  | { readonly kind: 'event'; readonly line: number; readonly event: CardEvent }
  | { readonly kind: 'command'; readonly line: number; readonly bytes: Pattern }
  | { readonly kind: 'answer'; readonly line: number; readonly bytes: Pattern };

/** A whole dialogue. */
export interface Dialogue {
  readonly atr: Uint8Array;
  readonly steps: readonly Step[];
}

/** The text is no dialogue; says in which line. What stands there is not repeated: it may be a key. */
export class DialogueError extends Error {
  /** Counted from 1. */
  readonly line: number;
  constructor(line: number, reason: string) {
    super(`line ${line}: ${reason}`);
    this.name = 'DialogueError';
    this.line = line;
  }
}

const EVENTS: readonly string[] = ['power on', 'power off', 'reset', 'power lost'];
const MAX_BYTES = 0x10000;

/** Reads a dialogue. @throws DialogueError */
export function parseDialogue(text: string): Dialogue {
  let atr: Uint8Array | undefined;
  let begun = false;
  const steps: Step[] = [];
  for (const [index, whole] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const content = withoutRemark(whole).trim();
    if (content === '') continue;
    if (content === DIALOGUE_HEADER) {
      begun = true;
      continue;
    }
    if (!begun) throw new DialogueError(line, `the text does not begin with "${DIALOGUE_HEADER}"`);
    if (/^atr\s/.test(content)) {
      const given = readBytes(content.slice(4), line);
      if (atr !== undefined && !isSame(atr, given)) throw new DialogueError(line, 'a second card');
      atr = Uint8Array.from(known(given, line));
    } else steps.push(readStep(content, line));
  }
  if (!begun) throw new DialogueError(1, `the text does not begin with "${DIALOGUE_HEADER}"`);
  if (atr === undefined) throw new DialogueError(1, 'there is no line "atr"');
  return { atr, steps };
}

function withoutRemark(line: string): string {
  return line.trimStart().startsWith('#') ? '' : (line.split(';', 1)[0] ?? '');
}

function readStep(content: string, line: number): Step {
  const rest = content.slice(1).trim();
  switch (content[0]) {
    case '>':
      return { kind: 'command', line, bytes: readBytes(rest, line) };
    case '<': {
      const bytes = readBytes(rest, line);
      if (bytes.length < 2) throw new DialogueError(line, 'an answer ends with a status word');
      return { kind: 'answer', line, bytes };
    }
    case '!':
      if (!isEvent(rest)) throw new DialogueError(line, `an event is one of ${EVENTS.join(', ')}`);
      return { kind: 'event', line, event: rest };
    default:
      throw new DialogueError(line, 'a line begins with atr, >, <, ! or #');
  }
}

function isEvent(text: string): text is CardEvent {
  return EVENTS.includes(text);
}

/** Hexadecimal digits with any spaces; `**` a masked byte, `**[n]` n of them. */
function readBytes(text: string, line: number): Pattern {
  const bytes: (number | undefined)[] = [];
  for (const piece of text.split(/(\*\*(?:\[\d{1,5}\])?)/)) {
    const masked = /^\*\*(?:\[(\d{1,5})\])?$/.exec(piece);
    if (masked !== null) {
      const count = masked[1] === undefined ? 1 : Number(masked[1]);
      if (bytes.length + count > MAX_BYTES) throw new DialogueError(line, 'more bytes than a card takes');
      for (let i = 0; i < count; i += 1) bytes.push(undefined);
      continue;
    }
    try {
      bytes.push(...fromHex(piece));
    } catch {
      throw new DialogueError(line, 'not an even number of hexadecimal digits');
    }
    if (bytes.length > MAX_BYTES) throw new DialogueError(line, 'more bytes than a card takes');
  }
  return bytes;
}

function known(bytes: Pattern, line: number): number[] {
  return bytes.map((byte) => {
    if (byte === undefined) throw new DialogueError(line, 'an ATR is not masked');
    return byte;
  });
}

function isSame(atr: Uint8Array, given: Pattern): boolean {
  return atr.length === given.length && given.every((byte, i) => byte === atr[i]);
}
