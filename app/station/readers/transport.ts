/** One command and its whole answer: 61xx and 6Cxx are dealt with here (ISO/IEC 7816-3 §12.2, 7816-4 §5.6). */
import { concat } from '../../card/bytes.ts';
import { type CardConnection, CardError } from '../../card/reader-port.ts';

/** Data bytes that one response carries, and that an answer may have where nobody asked for more. */
const MAX_DATA = 256;
/** GET RESPONSEs for one command at most: a card could give one byte a time for ever. */
const MAX_ROUNDS = 32;

/**
 * The card's answer is longer than whoever asked can use, or comes to no end. The card is there and works: what was asked may be done without,
 * unlike after every other fault.
 */
export class AnswerTooLong extends CardError {
  constructor(detail: string) {
    super('communication', detail);
    this.name = 'AnswerTooLong';
  }
}

/** Whether the class byte asks for secure messaging (ISO/IEC 7816-4 §5.4.1; GPC 2.3.1 table 11-12 for 8x and Cx). */
export function hasSecureMessaging(cla: number): boolean {
  return (cla & 0x40) === 0 ? (cla & 0x0c) !== 0 : (cla & 0x20) !== 0;
}

interface ExchangeOptions {
  /** The command may be sent again with the length that 6Cxx names. */
  readonly repeatable: boolean;
  /** Data bytes of the whole answer at most, however many responses carry them; 256 when left out. */
  readonly most?: number;
}

/**
 * Sends a command and collects its answer, data and status word.
 * 61xx: the rest is fetched with GET RESPONSE. 6Cxx: sent once more with the length named, unless the command has a MAC or
 * the caller says that it must not be repeated; then 6Cxx is the answer.
 * @throws CardError `communication` when the card gives fewer than 2 bytes; AnswerTooLong when it gives more than `most`, or never ends.
 */
export async function exchange(
  card: Pick<CardConnection, 'transmit'>,
  command: Uint8Array,
  options: ExchangeOptions,
): Promise<Uint8Array> {
  const cla = command[0] ?? 0;
  let answer = whole(await card.transmit(command));
  if (sw1(answer) === 0x6c && options.repeatable && !hasSecureMessaging(cla)) {
    const again = withLe(command, answer[answer.length - 1] ?? 0);
    if (again !== undefined) answer = whole(await card.transmit(again));
  }
  if (sw1(answer) !== 0x61) return answer;
  // GET RESPONSE goes out on the command's logical channel, without secure messaging.
  const getResponseCla = (cla & 0x40) === 0 ? cla & 0x03 : cla & 0x4f;
  let data: Uint8Array = answer.slice(0, -2);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const le = answer[answer.length - 1] ?? 0;
    answer = whole(await card.transmit(Uint8Array.of(getResponseCla, 0xc0, 0x00, 0x00, le)));
    if (sw1(answer) === 0x6c) {
      const right = answer[answer.length - 1] ?? 0;
      answer = whole(await card.transmit(Uint8Array.of(getResponseCla, 0xc0, 0x00, 0x00, right)));
    }
    data = concat(data, answer.slice(0, -2));
    const most = options.most ?? MAX_DATA;
    if (data.length > most) throw new AnswerTooLong(`answer longer than ${most} bytes`);
    if (sw1(answer) !== 0x61) return concat(data, answer.slice(-2));
  }
  throw new AnswerTooLong('answer without an end');
}

function whole(answer: Uint8Array): Uint8Array {
  if (answer.length < 2) throw new CardError('communication', 'answer shorter than its status word');
  if (answer.length > MAX_DATA + 2) throw new AnswerTooLong('answer longer than 256 bytes');
  return answer;
}

function sw1(answer: Uint8Array): number {
  return answer[answer.length - 2] ?? 0;
}

/** The command with another Le; undefined for a command that has none to change (cases 1 and 3). */
function withLe(command: Uint8Array, le: number): Uint8Array | undefined {
  const lc = command[4];
  if (lc === undefined) return undefined;
  if (command.length === 5 || command.length === 6 + lc)
    return concat(command.slice(0, -1), Uint8Array.of(le));
  return undefined;
}
