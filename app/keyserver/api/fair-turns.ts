/**
 * Work that this instance does for one station after the other, in the order in which they came. A station waits once at most, so that one that
 * asks again and again comes after everybody who waited, and never in front of them.
 */
import { KaikaError } from '../../protocol/errors.ts';

export interface TurnRules {
  /** How much of the work is done at once. */
  readonly atOnce: number;
  /** How much of it one station may have waiting or under way. */
  readonly ofOne: number;
  /** How much may wait, and how long, ms: shorter than stations wait for an answer. */
  readonly waiting: number;
  readonly patience: number;
}

interface Waiting {
  readonly go: () => void;
}

export class FairTurns {
  readonly #rules: TurnRules;
  readonly #ofStation = new Map<string, number>();
  readonly #queue: Waiting[] = [];
  #running = 0;

  constructor(rules: TurnRules) {
    this.#rules = rules;
  }

  /** Does `work` when it is the station's turn. @throws KaikaError `server-busy` with `sentence` when its turn does not come; what `work` throws */
  async run<T>(station: string, sentence: string, work: () => Promise<T>): Promise<T> {
    const own = this.#ofStation.get(station) ?? 0;
    if (own >= this.#rules.ofOne) throw new KaikaError('server-busy', sentence);
    this.#ofStation.set(station, own + 1);
    try {
      await this.#turn(sentence);
      try {
        return await work();
      } finally {
        this.#next();
      }
    } finally {
      const left = (this.#ofStation.get(station) ?? 1) - 1;
      if (left === 0) this.#ofStation.delete(station);
      else this.#ofStation.set(station, left);
    }
  }

  async #turn(sentence: string): Promise<void> {
    const { atOnce, waiting, patience } = this.#rules;
    if (this.#running < atOnce) {
      this.#running += 1;
      return;
    }
    if (this.#queue.length >= waiting) throw new KaikaError('server-busy', sentence);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#queue.splice(this.#queue.indexOf(entry), 1);
        reject(new KaikaError('server-busy', sentence));
      }, patience);
      const entry: Waiting = {
        go: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#queue.push(entry);
    });
  }

  /** The turn passes to whoever has waited longest; with nobody waiting it is free. */
  #next(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#running -= 1;
    else next.go();
  }
}
