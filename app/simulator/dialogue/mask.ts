/**
 * Which bytes of a dialogue are not for other people's eyes. Commands are shown whole only when it is known that they
 * may be: anything unknown is masked.
 */
import type { CommandApdu } from '../../card/apdu.ts';

/** A stretch of bytes that is masked: from, up to and without. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What of a command's data and of its answer's data is masked. */
export interface Masks {
  readonly command: readonly Span[];
  readonly answer: readonly Span[];
}

const ALL: readonly Span[] = [{ from: 0, to: Number.MAX_SAFE_INTEGER }];
const NOTHING: Masks = { command: [], answer: [] };
const EVERYTHING: Masks = { command: ALL, answer: ALL };

/** GET CHALLENGE, SELECT, GET RESPONSE, GET DATA, DELETE, LOAD, SET STATUS, GET STATUS, MANAGE CHANNEL, GET BALANCE. */
const OPEN: readonly number[] = [0x84, 0xa4, 0xc0, 0xca, 0xcb, 0xe4, 0xe8, 0xf0, 0xf2, 0x70, 0x5c];

/** Masks of one command, and of its answer as far as the command alone tells. */
export function masksOf(command: CommandApdu): Masks {
  switch (command.ins) {
    case INITIALIZE_UPDATE:
      return EVERYTHING;
    case 0xe6:
      return { command: installSecrets(command), answer: [] };
    // Key versions and check values come back; a check value tells a key apart, and nothing of it.
    case 0xd8:
      return { command: ALL, answer: [] };
    default:
      return OPEN.includes(command.ins) ? NOTHING : EVERYTHING;
  }
}

/** INS of INITIALIZE UPDATE, whose answer is masked by what is in it. */
export const INITIALIZE_UPDATE = 0x50;

/**
 * INITIALIZE UPDATE shows diversification data, key information and sequence counter; challenges and cryptogram would
 * let somebody try keys at leisure.
 */
export function initializeUpdateMask(data: Uint8Array): readonly Span[] {
  const [scp, i = 0] = data.slice(11, 13);
  if (scp === 0x02) return [{ from: 14, to: data.length }];
  const counter = scp === 0x03 && (i & 0x10) !== 0 ? 3 : 0;
  return [{ from: 13, to: data.length - counter }];
}

/** Parameters of INSTALL [for install] may hold anything, PINs and keys too; AIDs and privileges before them do not. */
function installSecrets({ p1, data }: CommandApdu): readonly Span[] {
  if ((p1 & 0x04) === 0 || data === undefined) return [];
  let at = 0;
  for (let field = 0; field < 4; field += 1) {
    const length = data[at];
    // Not the fields of INSTALL: enciphered, or another use of the code.
    if (length === undefined || length > 0x10 || at + 1 + length > data.length) return ALL;
    at += 1 + length;
  }
  return [{ from: at, to: data.length }];
}
