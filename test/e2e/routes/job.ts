/** A job in hand: running, waiting, given up. */
import type { Locator, Page } from 'playwright';

export class JobRoute {
  /** "Do not remove the card". */
  readonly writing: Locator;
  readonly giveUpDialog: Locator;
  readonly #lane: Locator;

  constructor(page: Page, lane: Locator) {
    this.writing = lane.getByText('Do not remove the card').locator('visible=true').last();
    this.giveUpDialog = page.getByRole('alertdialog');
    this.#lane = lane;
  }

  async isWriting(): Promise<void> {
    await this.writing.waitFor();
  }

  /** Waits for one of the things that a job may wait for, by its heading. */
  async waitsWith(
    heading: 'Put the same card back' | 'This is another card' | 'Waiting for the server',
  ): Promise<void> {
    await this.#lane.getByRole('heading', { name: heading }).waitFor();
  }

  async askToGiveUp(): Promise<void> {
    await this.#lane.getByRole('button', { name: 'Give this work up' }).click();
    await this.giveUpDialog.waitFor();
  }

  async giveUp(): Promise<void> {
    await this.giveUpDialog.getByRole('button', { name: 'Give up' }).click();
  }
}
