/** A job that is over. */
import type { Locator } from 'playwright';

export class EndRoute {
  readonly #lane: Locator;

  constructor(lane: Locator) {
    this.#lane = lane;
  }

  /** The good end. */
  async takesCard(): Promise<void> {
    await this.#lane.getByRole('heading', { name: 'Take the card' }).waitFor();
  }

  async serveAgain(): Promise<void> {
    await this.#lane.getByRole('button', { name: 'Serve this card again' }).click();
  }
}
