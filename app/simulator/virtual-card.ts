/** The virtual card: a card image under power, one command at a time, each atomic. */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeResponse } from '../card/apdu.ts';
import { fromHex } from '../card/bytes.ts';
import { PowerLost } from './device.ts';
import type { Fault, FaultyDevice } from './fault.ts';
import type { CardImage } from './image.ts';
import { INS_LOAD } from './isd/domain.ts';
import { type Latency, latencyOf } from './latency.ts';
import { processCommand } from './process.ts';
import { SW } from './status-words.ts';
import { endChannel, freshVolatile, type Turn, type Volatile } from './turn.ts';

/** How a virtual card is run. */
export interface VirtualCardOptions {
  /** Makes a changed image durable; the answer waits for it. When it rejects, the card answers 6581. */
  readonly commit?: (image: CardImage) => Promise<void>;
  /** How long commands take; none by default. */
  readonly latency?: Latency;
  /** Source of challenges; of node:crypto by default. */
  readonly random?: (length: number) => Uint8Array;
}

/** A card in memory. Power is off until `powerOn`. */
export class VirtualCard implements FaultyDevice {
  readonly atr: Uint8Array;
  readonly #options: VirtualCardOptions;
  #image: CardImage;
  #volatile: Volatile;
  #powered = false;
  /** Grows with each loss of power and reset: a command begun before it gets no answer. */
  #life = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(image: CardImage, options: VirtualCardOptions = {}) {
    this.#image = structuredClone(image);
    this.#options = options;
    this.#volatile = freshVolatile(this.#image);
    this.atr = fromHex(image.atr);
  }

  /** A copy of what the card keeps now. */
  get image(): CardImage {
    return structuredClone(this.#image);
  }

  powerOn(): void {
    this.#forget();
    this.#powered = true;
  }

  powerOff(): void {
    this.#forget();
    this.#powered = false;
  }

  reset(): void {
    this.#forget();
  }

  transmit(command: Uint8Array): Promise<Uint8Array> {
    return this.transmitWithFault(command, undefined);
  }

  transmitWithFault(command: Uint8Array, fault: Fault | undefined): Promise<Uint8Array> {
    const bytes = command.slice();
    const life = this.#life;
    const answer = this.#last.then(() => this.#run(bytes, fault, life));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  #forget(): void {
    this.#life += 1;
    endChannel(this.#volatile);
    this.#volatile = freshVolatile(this.#image);
  }

  async #run(command: Uint8Array, fault: Fault | undefined, life: number): Promise<Uint8Array> {
    const alive = () => {
      if (!this.#powered || life !== this.#life) throw new PowerLost();
    };
    const until = async (moment: number) => {
      const left = moment - performance.now();
      if (left > 0) await sleep(left);
      alive();
    };
    const started = performance.now();
    const lasts = latencyOf(this.#options.latency ?? 'none', command[1] === INS_LOAD);
    await until(started + lasts / 2);
    if (fault?.kind === 'power' && fault.when === 'before') this.#cut();
    const answer = await this.#act(command, fault);
    await until(started + lasts);
    if (fault?.kind === 'power') this.#cut();
    return answer;
  }

  /** Works on a copy, and keeps it when the command is done. */
  async #act(command: Uint8Array, fault: Fault | undefined): Promise<Uint8Array> {
    const turn: Turn = {
      image: structuredClone(this.#image),
      volatile: this.#volatile,
      random: this.#options.random ?? ((length) => new Uint8Array(randomBytes(length))),
      memoryFull: fault?.kind === 'memory-full',
    };
    const answer = answerOf(turn, command);
    if (answer === undefined) {
      endChannel(turn.volatile);
      return sw(SW.internal);
    }
    if (fault?.kind === 'power' && fault.when === 'during') {
      await this.#commit(tornImage(turn, this.#image, fault.commit ?? 'lost'));
      this.#cut();
    }
    return (await this.#commit(turn.image)) ? answer : sw(SW.memoryFailure);
  }

  async #commit(image: CardImage): Promise<boolean> {
    if (JSON.stringify(image) === JSON.stringify(this.#image)) return true;
    try {
      await this.#options.commit?.(image);
    } catch {
      return false;
    }
    this.#image = image;
    return true;
  }

  #cut(): never {
    this.powerOff();
    throw new PowerLost();
  }
}

/** The answer; undefined for a fault of the simulator itself, which shows as 6F00 and changes nothing. */
function answerOf(turn: Turn, command: Uint8Array): Uint8Array | undefined {
  try {
    return encodeResponse(processCommand(turn, command));
  } catch {
    return undefined;
  }
}

/** What power lost in the middle of the commit leaves: all, nothing, or the damage of a write that is not atomic. */
function tornImage(turn: Turn, before: CardImage, commit: 'lost' | 'kept'): CardImage {
  const { tear } = turn;
  if (tear !== undefined) {
    const torn = structuredClone(before);
    tear(torn);
    return torn;
  }
  return commit === 'kept' ? turn.image : before;
}

function sw(word: number): Uint8Array {
  return Uint8Array.of(word >> 8, word & 0xff);
}
