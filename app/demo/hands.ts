/** The hands at the demo's counter: they put cards in, pull them, and take the key server away and bring it back. */
import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { systemClock } from '../station/ports.ts';
import type { Fault } from './faults.ts';
import type { DemoLatency } from './readers.ts';
import type { Stage } from './stage.ts';

const PUT_BACK_MS = 2_000;

/** What can be typed, with what it does. */
export const KEYS = {
  n: 'a new card takes the place of the one in the reader',
  p: 'pull the card',
  b: 'put the same card back',
  s: 'the key server goes away, or comes back',
  q: 'close the window and end',
} as const;
type Key = keyof typeof KEYS;

export function isKey(text: string): text is Key {
  return Object.hasOwn(KEYS, text);
}

export class Hands {
  readonly #stage: Stage;
  readonly #latency: DemoLatency;
  #card: string | undefined;
  #isIn: boolean;
  #serverIsUp = true;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(stage: Stage, latency: DemoLatency) {
    this.#stage = stage;
    this.#latency = latency;
    this.#card = stage.cardFile;
    this.#isIn = stage.cardFile !== undefined;
  }

  /** One thing at a time; gives what was done, in words for the terminal. */
  do(key: Exclude<Key, 'q'>): Promise<string> {
    const turn = this.#turn.then(() => this.#do(key));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #do(key: Exclude<Key, 'q'>): Promise<string> {
    const { readers } = this.#stage;
    switch (key) {
      case 'n':
        await this.#pull();
        this.#card = await this.#stage.newCard();
        await this.#putIn(this.#card);
        return 'a new card is in the reader';
      case 'p':
        await this.#pull();
        return 'the reader is empty';
      case 'b':
        if (this.#card === undefined) return 'there was no card yet: n makes one';
        if (!this.#isIn) await this.#putIn(this.#card);
        return 'the same card is in the reader';
      case 's':
        if (this.#serverIsUp) await this.#stage.stopServer();
        else await this.#stage.startServer();
        this.#serverIsUp = !this.#serverIsUp;
        return this.#serverIsUp ? `the key server is back; ${readers.what}` : 'the key server is away';
    }
  }

  async #pull(): Promise<void> {
    if (this.#isIn) await this.#stage.readers.remove();
    this.#isIn = false;
  }

  async #putIn(card: string): Promise<void> {
    await this.#stage.readers.insert(card, this.#latency);
    this.#isIn = true;
  }
}

/**
 * Plays `card-pulled:N` where nobody tells the steps: at the N-th change that the card itself keeps. Gives the function that
 * ends it.
 */
export function pullAtChange(fault: Fault | undefined, { cardFile }: Stage, hands: Hands): () => void {
  if (fault?.name !== 'card-pulled' || cardFile === undefined) return () => undefined;
  let changes = 0;
  const watcher = watch(dirname(cardFile), (_event, name) => {
    if (name !== basename(cardFile)) return;
    changes += 1;
    if (changes !== fault.step) return;
    watcher.close();
    void hands.do('p').then(async () => {
      await systemClock.sleep(PUT_BACK_MS);
      await hands.do('b');
    });
  });
  return () => watcher.close();
}
