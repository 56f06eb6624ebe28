/**
 * A job's hold on its card, and the epoch it counts in. An epoch is *bound* while the card it began with is still powered in
 * its reader. When that card goes, the epoch is over and the next one is free until the card is back; a batch is run for the
 * epoch it names, or not at all.
 */
import type { CardEvent, CardLink } from '../readers/card-link.ts';

export class CardHold {
  #epoch: number;
  #bound: boolean;
  #event: CardEvent | undefined;
  #link: CardLink | undefined;
  #release: () => void = () => undefined;

  constructor(epoch: number, bound: boolean) {
    this.#epoch = epoch;
    this.#bound = bound;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get bound(): boolean {
    return this.#bound;
  }

  /** What ended the last epoch, until the server was told. */
  get event(): CardEvent | undefined {
    return this.#event;
  }

  get link(): CardLink | undefined {
    return this.#link;
  }

  /** Takes the card. The promise resolves on `release`. */
  attach(link: CardLink): Promise<void> {
    this.#link = link;
    return new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  /** Commands of this epoch are about to be sent. */
  bind(): void {
    this.#bound = true;
  }

  /** The program that held the card is gone: what was bound is over. */
  forget(): void {
    this.#over('lost');
  }

  /** Lets the card go, or finds that it went. */
  release(): void {
    const event = this.#link?.loss?.event ?? 'reset';
    this.#link = undefined;
    this.#over(event);
    this.#release();
  }

  /** The server is being told of the event. */
  told(): void {
    this.#event = undefined;
  }

  #over(event: CardEvent): void {
    if (!this.#bound) return;
    this.#bound = false;
    this.#epoch += 1;
    this.#event ??= event;
  }
}
