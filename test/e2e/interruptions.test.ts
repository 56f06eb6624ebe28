/** What goes wrong at a counter while a card is being worked on, and that the work goes on. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Clerk } from './support/clerk.ts';
import { isAlive } from './support/processes.ts';
import { dataFolder, openStage, type StoryStage } from './support/stage.ts';
import { openWindow, type StationWindow } from './support/window.ts';

const data = dataFolder();
let stage: StoryStage;
let window: StationWindow;
let clerk: Clerk;
let cardFile: string;
let card: string;

beforeAll(async () => {
  stage = await openStage(data.folder);
});
afterAll(async () => {
  await stage.close();
  data.remove();
});
beforeEach(async ({ task }) => {
  cardFile = await stage.changeCard();
  await open(task.name);
  await clerk.signIn();
  await clerk.cardIsRead();
  const text = await clerk.lane.innerText();
  card = /\d{4} \d{4} \d{4} \d{4}/.exec(text)?.[0].replaceAll(' ', '') ?? '';
});
afterEach(async () => {
  await window.close();
  expect(window.complaints).toEqual([]);
});

describe('the work goes on', () => {
  it('card pulled and put back', async () => {
    await startLoading();
    await stage.readers.remove();
    await clerk.lane.getByRole('heading', { name: 'Put the same card back' }).waitFor();
    await window.look('waiting-for-card');
    await stage.readers.insert(cardFile, 'realistic');
    await clerk.takesCard();
    await issuedOnce();
  });

  it('another card put in', async () => {
    await startLoading();
    await stage.readers.remove();
    await clerk.lane.getByRole('heading', { name: 'Put the same card back' }).waitFor();
    await stage.readers.insert(await stage.newCard(), 'realistic');
    await clerk.lane.getByRole('heading', { name: 'This is another card' }).waitFor();
    await window.look('other-card');
    await stage.readers.remove();
    await stage.readers.insert(cardFile, 'realistic');
    await clerk.takesCard();
    await issuedOnce();
  });

  it('given up by the clerk', async () => {
    await startLoading();
    await stage.readers.remove();
    await clerk.lane.getByRole('button', { name: 'Give this work up' }).click();
    const dialog = window.page.getByRole('alertdialog');
    await dialog.waitFor();
    await window.look('give-up');
    await dialog.getByRole('button', { name: 'Give up' }).click();
    await clerk.lane.getByText('Put a card into the reader').first().waitFor();
    await window.look('empty');
  });

  it('server away and back', async () => {
    await clerk.typeAccount();
    await clerk.tick('E-wallet');
    await clerk.review();
    await stage.stopServer();
    await clerk.start();
    await clerk.lane.getByRole('heading', { name: 'Waiting for the server' }).waitFor();
    await window.look('waiting-for-server');
    await stage.startServer();
    await clerk.takesCard();
    expect((await stage.record(card)).jobs.map((job) => job.result)).toEqual(['complete']);
  });

  it('engine killed', async () => {
    await startLoading();
    const engine = window.enginePid() ?? 0;
    expect(isAlive(engine)).toBe(true);
    process.kill(engine, 'SIGKILL');
    // Nobody is signed in to the new one; the work needs nobody.
    await window.page.getByText('Work is in hand; please sign in to go on.').waitFor();
    await window.look('engine-again', { passing: true });
    await clerk.signIn();
    await clerk.takesCard();
    expect(window.enginePid()).not.toBe(engine);
    await issuedOnce();
  });

  it('restart with a job in hand', async () => {
    await startLoading();
    window.kill();
    await expect.poll(() => isAlive(window.pid)).toBe(false);
    await open('restart with a job in hand, again');
    await window.look('resumed', { passing: true });
    await clerk.signIn();
    await clerk.takesCard();
    await issuedOnce();
  });

  it('closing asks while a card is worked on, and stays when told to', async () => {
    await startLoading();
    await window.answerDialogs(0);
    await window.pressClose();
    await expect.poll(() => window.askedDialogs()).toBe(1);
    await clerk.takesCard();
    await issuedOnce();
  });

  it('closing after all keeps the job, and the next start goes on with it', async () => {
    await startLoading();
    await window.answerDialogs(1);
    await window.close();
    await open('closed in the middle, again');
    await clerk.signIn();
    await clerk.lane.getByRole('heading', { name: 'Take the card' }).waitFor();
    await issuedOnce();
  });
});

async function open(story: string): Promise<void> {
  window = await openWindow({ story, station: stage.station });
  clerk = new Clerk(window, stage);
}

/** Campus meal has to be loaded first, which takes some seconds: time enough for what is to happen. */
async function startLoading(): Promise<void> {
  await clerk.typeAccount();
  await clerk.tick('Campus meal');
  await clerk.review();
  await clerk.start();
  await clerk.isWriting();
}

/** One issuing on record, and complete: nothing was done twice, nothing forgotten. */
async function issuedOnce(): Promise<void> {
  const record = await stage.record(card);
  expect(record.jobs.map((job) => job.result)).toEqual(['complete']);
  expect(record.apps.find((app) => app.app === 'campus-meal')).toMatchObject({
    state: 'enabled',
    inDoubt: false,
  });
}
