/** A clerk issues cards at the counter: the real Electron, engine, pcscd, key server and SoftHSM. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Clerk } from './support/clerk.ts';
import { dataFolder, openStage, type StoryStage } from './support/stage.ts';
import { openWindow, type StationWindow } from './support/window.ts';

const data = dataFolder();
let stage: StoryStage;
let window: StationWindow;
let clerk: Clerk;

beforeAll(async () => {
  stage = await openStage(data.folder);
});
afterAll(async () => {
  await stage.close();
  data.remove();
});
beforeEach(async ({ task }) => {
  window = await openWindow({ story: task.name, station: stage.station });
  clerk = new Clerk(window, stage);
});
afterEach(async () => {
  await window.close();
  expect(window.complaints).toEqual([]);
});

/** The card's number as it stands on the screen. */
async function cardOnScreen(): Promise<string> {
  const text = await clerk.lane.innerText();
  return /\d{4} \d{4} \d{4} \d{4}/.exec(text)?.[0].replaceAll(' ', '') ?? '';
}

describe('at the counter', () => {
  it('signs in, enables two and loads one', async () => {
    await window.look('sign-in');
    await clerk.typeCredentials('not the word');
    await window.page.getByRole('button', { name: 'Sign in' }).click();
    await window.page.getByRole('alert').waitFor();
    await window.look('sign-in-refused');
    await clerk.signIn();
    await clerk.cardIsRead();
    await window.look('choose');
    const card = await cardOnScreen();
    const account = await clerk.typeAccount();
    for (const app of ['E-wallet', 'Identity', 'Campus meal']) await clerk.tick(app);
    await window.look('chosen');
    await clerk.review();
    await window.look('plan');
    await clerk.start();
    await clerk.isWriting();
    await window.look('writing', { passing: true });
    await clerk.takesCard();
    await window.look('done');
    const record = await stage.record(card);
    expect(record).toMatchObject({ account, issued: true });
    expect(Object.fromEntries(record.apps.map((app) => [app.app, app.state]))).toMatchObject({
      'e-wallet': 'enabled',
      identity: 'enabled',
      'campus-meal': 'enabled',
    });
    expect(record.jobs.map((job) => job.result)).toEqual(['complete']);
  });
});
