/** What goes wrong at a counter while a card is being worked on, and that the work goes on. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Routes } from './routes/index.ts';
import { isAlive } from './support/processes.ts';
import { dataFolder, openStage, type StoryStage } from './support/stage.ts';
import { openWindow, type StationWindow } from './support/window.ts';

const data = dataFolder();
let stage: StoryStage;
/** One clerk at work: a story goes on in the window of the one before, unless that one failed. */
let window: StationWindow;
let isOpen = false;
let routes: Routes;
let cardFile: string;
let card: string;

beforeAll(async () => {
  stage = await openStage(data.folder);
});
afterAll(async () => {
  if (isOpen) await window.close();
  await stage.close();
  data.remove();
});
beforeEach(serveNewCard);
afterEach(({ task }) => leave(task.result?.state === 'fail'));

describe('the work goes on', () => {
  it('card pulled and put back', async () => {
    await startLoading();
    await stage.readers.remove();
    await routes.job.waitsWith('Put the same card back');
    await window.look('waiting-for-card');
    await stage.readers.insert(cardFile, 'realistic');
    await routes.end.takesCard();
    await issuedOnce();
  });

  it('another card put in', async () => {
    await startLoading();
    await stage.readers.remove();
    await routes.job.waitsWith('Put the same card back');
    await stage.readers.insert(await stage.newCard(), 'realistic');
    await routes.job.waitsWith('This is another card');
    await window.look('other-card');
    await stage.readers.remove();
    await stage.readers.insert(cardFile, 'realistic');
    await routes.end.takesCard();
    await issuedOnce();
  });

  it('given up by the clerk', async () => {
    await startLoading();
    await stage.readers.remove();
    await routes.job.askToGiveUp();
    await window.look('give-up');
    await routes.job.giveUp();
    await routes.isEmpty();
    await window.look('empty');
  });

  it('server away and back', async () => {
    await routes.choose.typeAccount();
    await routes.choose.tick('E-wallet');
    await routes.choose.review();
    await stage.stopServer();
    await routes.plan.start();
    await routes.job.waitsWith('Waiting for the server');
    await window.look('waiting-for-server');
    await stage.startServer();
    await routes.end.takesCard();
    expect((await stage.record(card)).jobs.map((job) => job.result)).toEqual(['complete']);
  });

  it('engine killed', async () => {
    await startLoading();
    const engine = window.enginePid() ?? 0;
    expect(isAlive(engine)).toBe(true);
    process.kill(engine, 'SIGKILL');
    // The new engine has no session: the window asks for one. The job is in the journal and still there.
    await window.page.getByText('Work is in hand; please sign in to go on.').waitFor();
    await window.look('engine-again', { passing: true });
    await routes.entrance.signIn();
    await routes.end.takesCard();
    expect(window.enginePid()).not.toBe(engine);
    await issuedOnce();
  });

  it('restart with a job in hand', async () => {
    await startLoading();
    isOpen = false;
    window.kill();
    await expect.poll(() => isAlive(window.pid)).toBe(false);
    await open('restart with a job in hand, again');
    await window.look('resumed', { passing: true });
    await routes.entrance.signIn();
    await routes.end.takesCard();
    await issuedOnce();
  });

  it('closing asks while a card is worked on, and stays when told to', async () => {
    await startLoading();
    await window.answerDialogs(0);
    await window.pressClose();
    await expect.poll(() => window.askedDialogs()).toBe(1);
    await routes.end.takesCard();
    await issuedOnce();
  });

  it('closing after all keeps the job, and the next start goes on with it', async () => {
    await startLoading();
    await window.answerDialogs(1);
    isOpen = false;
    await window.close();
    await open('closed in the middle, again');
    await routes.entrance.signIn();
    await routes.end.takesCard();
    await issuedOnce();
  });
});

/** In the window that there is, with somebody signed in. */
async function serveNewCard(): Promise<void> {
  cardFile = await stage.changeCard();
  if (!isOpen) {
    await open('interruptions');
    await routes.entrance.signIn();
  }
  await routes.choose.cardIsRead();
  const text = await routes.lane.innerText();
  card = /\d{4} \d{4} \d{4} \d{4}/.exec(text)?.[0].replaceAll(' ', '') ?? '';
}

async function leave(failed: boolean): Promise<void> {
  if (failed) {
    isOpen = false;
    await window.close();
  }
  expect(window.complaints).toEqual([]);
}

async function open(story: string): Promise<void> {
  window = await openWindow({ story, station: stage.station });
  isOpen = true;
  routes = new Routes(window, stage);
}

/** Campus meal has to be loaded first, which takes some seconds: time enough for what is to happen. */
async function startLoading(): Promise<void> {
  await routes.choose.typeAccount();
  await routes.choose.tick('Campus meal');
  await routes.choose.review();
  await routes.plan.start();
  await routes.job.isWriting();
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
