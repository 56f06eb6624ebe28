/** What a clerk does at the counter, by role and by name. */
import type { Locator, Page } from 'playwright';
import { randomDigits } from '../../../app/demo/cards.ts';
import type { StoryStage } from './stage.ts';
import type { StationWindow } from './window.ts';

export class Clerk {
  readonly page: Page;
  readonly #people: StoryStage['people'];

  constructor(window: StationWindow, stage: StoryStage) {
    this.page = window.page;
    this.#people = stage.people;
  }

  /** The lane of the reader that the demo's card is in. */
  get lane(): Locator {
    return this.page.getByRole('region', { name: /^Reader\b/ }).first();
  }

  async signIn(): Promise<void> {
    await this.typeCredentials();
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.page.getByRole('button', { name: /^User:/ }).waitFor();
  }

  async typeCredentials(secret: string = this.#people.clerk.secret): Promise<void> {
    await this.page.getByRole('textbox', { name: 'User name' }).fill(this.#people.clerk.operator);
    await this.page.getByLabel('Password').fill(secret);
  }

  /** Waits until the card was read and can be served. */
  async cardIsRead(): Promise<void> {
    await this.lane.getByRole('button', { name: 'Next' }).waitFor();
  }

  app(name: string): Locator {
    return this.lane.getByRole('listitem').filter({ hasText: name });
  }

  async tick(name: string): Promise<void> {
    await this.app(name).getByText(name, { exact: true }).click();
    await this.lane
      .getByRole('checkbox', { name: `Enable ${name}`, checked: true })
      .waitFor({ state: 'attached' });
  }

  async delete(name: string): Promise<void> {
    await this.lane.getByRole('button', { name: `Delete ${name}` }).click();
  }

  async typeAccount(account: string = randomDigits(16)): Promise<string> {
    await this.lane.getByRole('textbox', { name: /Customer.s account/ }).fill(account);
    return account;
  }

  async review(): Promise<void> {
    await this.lane.getByRole('button', { name: 'Next' }).click();
    await this.lane.getByRole('heading', { name: /Please check|This cannot be done as chosen/ }).waitFor();
  }

  async start(): Promise<void> {
    await this.lane.getByRole('button', { name: 'Start' }).click();
  }

  /** "Do not remove the card". */
  get writing(): Locator {
    return this.lane.getByText('Do not remove the card').locator('visible=true').last();
  }

  async isWriting(): Promise<void> {
    await this.writing.waitFor();
  }

  /** The job's good end. */
  async takesCard(): Promise<void> {
    await this.lane.getByRole('heading', { name: 'Take the card' }).waitFor();
  }

  confirmer(): StoryStage['people']['supervisor'] {
    return this.#people.supervisor;
  }
}
