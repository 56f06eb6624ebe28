/**
 * What T=0 does to answers (ISO/IEC 7816-3 §12.2): a command carries data one way only, so an answer to a command with
 * data waits for GET RESPONSE (61xx), and a wrong Le is answered with the right one (6Cxx).
 */
import { concat, toHex } from '../card/bytes.ts';
import { SW } from './status-words.ts';

/** INS of GET RESPONSE. */
const INS_GET_RESPONSE = 0xc0;
/** SELECT takes data, so its P3 is a length of command data even when that is 0. */
const INS_SELECT = 0xa4;

/** Between the reader and a card that speaks T=0. */
export class T0Link {
  /** What GET RESPONSE will fetch. */
  #waiting: { readonly data: Uint8Array; readonly sw: number } | undefined;
  /** A command answered 6Cxx: repeated with that length it gets the answer it had, and is not done again. */
  #repeat: { readonly header: string; readonly answer: Uint8Array } | undefined;

  /** The answer the link itself gives to `command`; undefined when the command is for the card. */
  fetch(command: Uint8Array): Uint8Array | undefined {
    const repeat = this.#repeat;
    this.#repeat = undefined;
    if (repeat !== undefined && command.length === 5 && headerOf(command) === repeat.header) {
      if (wanted(command) === repeat.answer.length - 2) return repeat.answer;
    }
    if (command[1] !== INS_GET_RESPONSE || command.length > 5) {
      this.#waiting = undefined;
      return undefined;
    }
    if (this.#waiting === undefined) return word(SW.conditions);
    const { data, sw } = this.#waiting;
    return this.#give(data, sw, wanted(command), () => word(0x6c00 | (data.length & 0xff)));
  }

  /** The form in which the card's answer to `command` goes out. */
  deliver(command: Uint8Array, answer: Uint8Array): Uint8Array {
    const data = answer.slice(0, -2);
    if (data.length === 0) return answer;
    const sw = ((answer.at(-2) ?? 0) << 8) | (answer.at(-1) ?? 0);
    if (command.length !== 5 || command[1] === INS_SELECT) {
      this.#waiting = { data, sw };
      return word(0x6100 | (data.length & 0xff));
    }
    return this.#give(data, sw, wanted(command), () => {
      this.#repeat = { header: headerOf(command), answer };
      return word(0x6c00 | (data.length & 0xff));
    });
  }

  /** Power or reset: nothing waits any more. */
  forget(): void {
    this.#waiting = undefined;
    this.#repeat = undefined;
  }

  #give(data: Uint8Array, sw: number, length: number, tooLong: () => Uint8Array): Uint8Array {
    if (length > data.length) return tooLong();
    const rest = data.slice(length);
    this.#waiting = rest.length > 0 ? { data: rest, sw } : undefined;
    return concat(data.slice(0, length), word(rest.length > 0 ? 0x6100 | (rest.length & 0xff) : sw));
  }
}

/** P3 as the number of bytes expected. */
function wanted(command: Uint8Array): number {
  return command[4] === undefined || command[4] === 0 ? 256 : command[4];
}

function headerOf(command: Uint8Array): string {
  return toHex(command.slice(0, 4));
}

function word(sw: number): Uint8Array {
  return Uint8Array.of(sw >> 8, sw & 0xff);
}
