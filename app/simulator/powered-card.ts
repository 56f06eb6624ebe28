/** A card under power: an image that is kept, a state that is not, one command at a time, each atomic. */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeResponse, type ResponseApdu } from '../card/apdu.ts';
import { fromHex } from '../card/bytes.ts';
import { offersOnlyT0 } from './atr.ts';
import { PowerLost } from './device.ts';
import type { Fault, FaultyDevice } from './fault.ts';
import { type Latency, latencyOf } from './latency.ts';
import { SW } from './status-words.ts';
import { T0Link } from './t0.ts';

/** What a handler works on. `image` is a copy, kept when the command ends. */
export interface CardTurn<Image, Volatile> {
  readonly image: Image;
  readonly volatile: Volatile;
  readonly random: (length: number) => Uint8Array;
  /** Fault injection: behave as if no memory were left. */
  readonly memoryFull: boolean;
  /** Set by a write that is not atomic: what it leaves when power goes in its middle. */
  tear?: ((image: Image) => void) | undefined;
}

/** What a kind of card does with its image. */
export interface CardProgram<Image, Volatile> {
  /** State after power-on or reset. */
  fresh(image: Image): Volatile;
  /** Wipes what must not outlive power. */
  forget(volatile: Volatile): void;
  /** Answers one command; a refusal is a status word. Changes image and volatile state of the turn. */
  process(turn: CardTurn<Image, Volatile>, command: Uint8Array): ResponseApdu;
}

/** How a virtual card is run. */
export interface CardOptions<Image> {
  /** Makes a changed image durable; the answer waits for it. When it rejects, the card answers 6581. */
  readonly commit?: (image: Image) => Promise<void>;
  /** How long commands take; none by default. */
  readonly latency?: Latency;
  /** Source of challenges; of node:crypto by default. */
  readonly random?: (length: number) => Uint8Array;
}

/** A card in memory. Power is off until `powerOn`. Speaks T=0 when its ATR offers nothing else. */
export class PoweredCard<Image extends { readonly atr: string }, Volatile> implements FaultyDevice {
  readonly atr: Uint8Array;
  readonly #program: CardProgram<Image, Volatile>;
  readonly #options: CardOptions<Image>;
  readonly #link: T0Link | undefined;
  #image: Image;
  /** The image as text: to see whether a command changed it, and to make copies of. An image is a plain JSON value. */
  #text: string;
  #volatile: Volatile;
  #powered = false;
  /** Grows with each loss of power and reset: a command begun before it gets no answer. */
  #life = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(program: CardProgram<Image, Volatile>, image: Image, options: CardOptions<Image>) {
    this.#program = program;
    this.#text = JSON.stringify(image);
    this.#image = this.image;
    this.#options = options;
    this.#volatile = program.fresh(this.#image);
    this.atr = fromHex(image.atr);
    this.#link = offersOnlyT0(this.atr) ? new T0Link() : undefined;
  }

  /** A copy of what the card keeps now. */
  get image(): Image {
    return JSON.parse(this.#text);
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
    this.#link?.forget();
    this.#program.forget(this.#volatile);
    this.#volatile = this.#program.fresh(this.#image);
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
    const fetched = this.#powered && life === this.#life ? this.#link?.fetch(command) : undefined;
    const lasts = latencyOf(this.#options.latency ?? 'none', command, fetched !== undefined);
    await until(started + lasts / 2);
    if (fault?.kind === 'power' && fault.when === 'before') this.#cut();
    const answer = fetched ?? (await this.#act(command, fault));
    await until(started + lasts);
    if (fault?.kind === 'power') this.#cut();
    return fetched ?? this.#link?.deliver(command, answer) ?? answer;
  }

  /** Works on a copy, and keeps it when the command is done. */
  async #act(command: Uint8Array, fault: Fault | undefined): Promise<Uint8Array> {
    const turn: CardTurn<Image, Volatile> = {
      image: this.image,
      volatile: this.#volatile,
      random: this.#options.random ?? ((length) => new Uint8Array(randomBytes(length))),
      memoryFull: fault?.kind === 'memory-full',
    };
    const answer = this.#answerOf(turn, command);
    if (answer === undefined) {
      this.#program.forget(turn.volatile);
      return sw(SW.internal);
    }
    if (fault?.kind === 'power' && fault.when === 'during') {
      await this.#commit(tornImage(turn, this.image, fault.commit ?? 'lost'));
      this.#cut();
    }
    return (await this.#commit(turn.image)) ? answer : sw(SW.memoryFailure);
  }

  /** The answer; undefined for a fault of the simulator itself, which shows as 6F00 and changes nothing. */
  #answerOf(turn: CardTurn<Image, Volatile>, command: Uint8Array): Uint8Array | undefined {
    try {
      return encodeResponse(this.#program.process(turn, command));
    } catch {
      return undefined;
    }
  }

  async #commit(image: Image): Promise<boolean> {
    const text = JSON.stringify(image);
    if (text === this.#text) return true;
    try {
      await this.#options.commit?.(image);
    } catch {
      return false;
    }
    this.#image = image;
    this.#text = text;
    return true;
  }

  #cut(): never {
    this.powerOff();
    throw new PowerLost();
  }
}

/** What power lost in the middle of the commit leaves: all, nothing, or the damage of a write that is not atomic. */
function tornImage<Image, Volatile>(
  turn: CardTurn<Image, Volatile>,
  before: Image,
  commit: 'lost' | 'kept',
): Image {
  const { tear } = turn;
  if (tear !== undefined) {
    tear(before);
    return before;
  }
  return commit === 'kept' ? turn.image : before;
}

function sw(word: number): Uint8Array {
  return Uint8Array.of(word >> 8, word & 0xff);
}
