/** What is about to happen, and the second person who may have to confirm it. */
import type { Locator, Page } from 'playwright';
import type { StoryStage } from '../support/stage.ts';

type Person = StoryStage['people']['supervisor'];

export class PlanRoute {
  readonly confirmation: Locator;
  readonly #lane: Locator;
  readonly #supervisor: Person;

  constructor(page: Page, lane: Locator, supervisor: Person) {
    this.confirmation = page.getByRole('dialog', { name: 'A second person has to confirm' });
    this.#lane = lane;
    this.#supervisor = supervisor;
  }

  async start(): Promise<void> {
    await this.#lane.getByRole('button', { name: 'Start' }).click();
  }

  /** A second person signs in for what was started. */
  async confirm({ operator, secret }: Person = this.#supervisor): Promise<void> {
    await this.confirmation.getByRole('textbox', { name: /Colleague.s user name/ }).fill(operator);
    await this.confirmation.getByLabel(/Colleague.s password/).fill(secret);
    await this.confirmation.getByRole('button', { name: 'Confirm and start' }).click();
  }
}
