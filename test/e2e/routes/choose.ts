/** A card that can be served: its apps, its account, and the way on. */
import type { Locator } from 'playwright';
import { randomDigits } from '../../../app/demo/cards.ts';

export class ChooseRoute {
  readonly next: Locator;
  readonly account: Locator;
  readonly history: Locator;
  readonly #lane: Locator;

  constructor(lane: Locator) {
    this.next = lane.getByRole('button', { name: 'Next' });
    this.account = lane.getByRole('textbox', { name: /Customer.s account/ });
    this.history = lane.getByRole('button', { name: 'History' });
    this.#lane = lane;
  }

  /** Waits until the card was read and can be served. */
  async cardIsRead(): Promise<void> {
    await this.next.waitFor();
  }

  app(name: string): Locator {
    return this.#lane.getByRole('listitem').filter({ hasText: name });
  }

  async tick(name: string): Promise<void> {
    await this.app(name).getByText(name, { exact: true }).click();
    await this.#lane
      .getByRole('checkbox', { name: `Enable ${name}`, checked: true })
      .waitFor({ state: 'attached' });
  }

  async delete(name: string): Promise<void> {
    await this.#lane.getByRole('button', { name: `Delete ${name}` }).click();
  }

  async typeAccount(account: string = randomDigits(16)): Promise<string> {
    await this.account.fill(account);
    return account;
  }

  async review(): Promise<void> {
    await this.next.click();
    await this.#lane.getByRole('heading', { name: /Please check|This cannot be done as chosen/ }).waitFor();
  }
}
