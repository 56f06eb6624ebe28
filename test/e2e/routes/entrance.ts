/** Before the counter: signing in. */
import type { Locator, Page } from 'playwright';
import type { StoryStage } from '../support/stage.ts';

type Person = StoryStage['people']['clerk'];

export class EntranceRoute {
  readonly userName: Locator;
  readonly password: Locator;
  readonly submit: Locator;
  readonly #page: Page;
  readonly #clerk: Person;

  constructor(page: Page, clerk: Person) {
    this.userName = page.getByRole('textbox', { name: 'User name' });
    this.password = page.getByLabel('Password');
    this.submit = page.getByRole('button', { name: 'Sign in' });
    this.#page = page;
    this.#clerk = clerk;
  }

  /** Somebody else than the clerk. */
  async typePerson(operator: string, secret: string): Promise<void> {
    await this.userName.fill(operator);
    await this.password.fill(secret);
  }

  /** Whoever signed in with a secret that somebody else made chooses this one. */
  async chooseSecret(chosen: string, again: string = chosen): Promise<void> {
    await this.#page.getByLabel('New password', { exact: true }).fill(chosen);
    await this.#page.getByLabel('New password again').fill(again);
    await this.#page.getByRole('button', { name: 'Save and sign in' }).click();
  }

  async typeCredentials(secret: string = this.#clerk.secret): Promise<void> {
    await this.typePerson(this.#clerk.operator, secret);
  }

  async signIn(): Promise<void> {
    await this.typeCredentials();
    await this.submit.click();
    await this.#page.getByRole('button', { name: /^User:/ }).waitFor();
  }
}
