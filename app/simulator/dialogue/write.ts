/** Writes a dialogue, line by line as it happens. */
import { type CommandApdu, decodeCommand } from '../../card/apdu.ts';
import { toHex } from '../../card/bytes.ts';
import { type CardEvent, DIALOGUE_HEADER } from './dialogue.ts';
import { INITIALIZE_UPDATE, initializeUpdateMask, type Masks, masksOf, type Span } from './mask.ts';
import { commandName, statusName } from './names.ts';

/** How much of a dialogue is written. */
export interface WriterOptions {
  /** Everything, keys under their transport keys and all. For virtual cards and published keys only. */
  readonly full?: boolean;
}

/** Column at which remarks begin, where the line is not longer already. */
const REMARK_COLUMN = 48;
const NOTHING: Masks = { command: [], answer: [] };
const EVERYTHING: Masks = {
  command: [{ from: 0, to: Number.MAX_SAFE_INTEGER }],
  answer: [{ from: 0, to: Number.MAX_SAFE_INTEGER }],
};
const INS_GET_RESPONSE = 0xc0;

/** Turns what happens at a card into lines, each with its line end. */
export class DialogueWriter {
  readonly #full: boolean;
  /** Of the last command: what GET RESPONSE fetches is masked as its answer would have been. */
  #masks: Masks = NOTHING;
  /** The last command was INITIALIZE UPDATE. */
  #initializing = false;

  constructor({ full = false }: WriterOptions = {}) {
    this.#full = full;
  }

  /** The first lines. `remarks` are for people. */
  begin(atr: Uint8Array, remarks: readonly string[] = []): string {
    const told = this.#full
      ? 'everything is shown, keys too: this is of a virtual card, or may be seen by nobody'
      : '** is a byte that is not shown';
    const comments = [...remarks, told].map((remark) => `# ${remark.replace(/[\r\n]+/g, ' ')}\n`);
    return `${DIALOGUE_HEADER}\n${comments.join('')}atr ${toHex(atr)}\n`;
  }

  event(event: CardEvent): string {
    this.#masks = NOTHING;
    return `! ${event}\n`;
  }

  command(bytes: Uint8Array): string {
    const command = decode(bytes);
    if (command?.ins !== INS_GET_RESPONSE) {
      this.#masks = this.#masksOf(command);
      this.#initializing = !this.#full && command?.ins === INITIALIZE_UPDATE;
    }
    const data = command?.data;
    if (command === undefined || data === undefined) {
      // What cannot be read as a command may hold anything.
      const spans = command === undefined && !this.#full ? [{ from: 4, to: bytes.length }] : [];
      const name = command === undefined ? 'no command' : withLe(commandName(command), command);
      return remarked(`> ${groups([bytes.slice(0, 4), bytes.slice(4)], spans)}`, name);
    }
    const start = bytes.length > 5 && bytes[4] === 0 ? 7 : 5;
    const shown = spanned(data, this.#masks.command);
    const parts = [
      toHex(bytes.slice(0, 4)),
      toHex(bytes.slice(4, start)),
      shown,
      toHex(bytes.slice(start + data.length)),
    ];
    const name = `${commandName(command)}, ${data.length} bytes`;
    return remarked(`> ${parts.filter(Boolean).join(' ')}`, withLe(name, command));
  }

  answer(bytes: Uint8Array): string {
    const data = bytes.slice(0, -2);
    const end = bytes.slice(-2);
    const sw = ((end[0] ?? 0) << 8) | (end[1] ?? 0);
    const length = data.length > 0 ? `, ${data.length} bytes` : '';
    const spans = this.#initializing && sw === 0x9000 ? initializeUpdateMask(data) : this.#masks.answer;
    const shown = [spanned(data, spans), toHex(end)].filter(Boolean).join(' ');
    return remarked(`< ${shown}`, `${statusName(sw)}${length}`);
  }

  #masksOf(command: CommandApdu | undefined): Masks {
    if (this.#full) return NOTHING;
    return command === undefined ? EVERYTHING : masksOf(command);
  }
}

function decode(bytes: Uint8Array): CommandApdu | undefined {
  try {
    return decodeCommand(bytes);
  } catch {
    return undefined;
  }
}

function withLe(name: string, { le }: CommandApdu): string {
  return le === undefined ? name : `${name}, Le ${le}`;
}

/** Pieces of one array side by side; spans count over the whole. */
function groups(pieces: readonly Uint8Array[], spans: readonly Span[]): string {
  let at = 0;
  const texts = pieces.map((piece) => {
    const text = spanned(
      piece,
      spans.map(({ from, to }) => ({ from: from - at, to: to - at })),
    );
    at += piece.length;
    return text;
  });
  return texts.filter(Boolean).join(' ');
}

/** Digits, with `**[n]` in place of the bytes of a span. */
function spanned(bytes: Uint8Array, spans: readonly Span[]): string {
  const isMasked = (i: number) => spans.some(({ from, to }) => i >= from && i < to);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const masked = isMasked(at);
    let end = at + 1;
    while (end < bytes.length && isMasked(end) === masked) end += 1;
    parts.push(masked ? `**[${end - at}]` : toHex(bytes.slice(at, end)));
    at = end;
  }
  return parts.join(' ');
}

function remarked(text: string, remark: string): string {
  return `${text.padEnd(REMARK_COLUMN)} ; ${remark}\n`;
}
