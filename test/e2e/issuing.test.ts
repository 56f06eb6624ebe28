/** A clerk issues cards at the counter: the real Electron, engine, pcscd, key server and SoftHSM. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Routes } from './routes/index.ts';
import { dataFolder, openStage, type StoryStage } from './support/stage.ts';
import { openWindow, type StationWindow, type WindowOptions } from './support/window.ts';

const data = dataFolder();
let stage: StoryStage;
/** A story goes on in the window of the one before, signed in, unless that one failed or a fresh start is what it is about. */
let window: StationWindow;
let isOpen = false;
let routes: Routes;

beforeAll(async () => {
  stage = await openStage(data.folder);
});
afterAll(async () => {
  await close();
  await stage.close();
  data.remove();
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await close();
  expect(window.complaints).toEqual([]);
});

describe('at the counter', () => {
  it('signs in, enables two and loads one', async ({ task }) => {
    await open(task.name);
    await window.look('sign-in');
    await routes.entrance.typeCredentials('not the word');
    await window.page.getByRole('button', { name: 'Sign in' }).click();
    await window.page.getByRole('alert').waitFor();
    await window.look('sign-in-refused');
    await routes.entrance.signIn();
    await routes.choose.cardIsRead();
    await window.look('choose');
    const card = await cardOnScreen();
    const account = await routes.choose.typeAccount();
    for (const app of ['E-wallet', 'Identity', 'Campus meal']) await routes.choose.tick(app);
    await window.look('chosen');
    await routes.choose.review();
    await window.look('plan');
    await routes.plan.start();
    await routes.job.isWriting();
    await window.look('writing', { passing: true });
    await routes.end.takesCard();
    await window.look('done');
    const record = await stage.record(card);
    expect(record).toMatchObject({ account, issued: true });
    expect(Object.fromEntries(record.apps.map((app) => [app.app, app.state]))).toMatchObject({
      'e-wallet': 'enabled',
      identity: 'enabled',
      'campus-meal': 'enabled',
    });
    expect(record.jobs.map((job) => job.result)).toEqual(['complete']);

    await routes.end.serveAgain();
    await routes.choose.history.click();
    await window.page.getByRole('dialog').getByRole('listitem').first().waitFor();
    await window.look('history');
    await window.page.keyboard.press('Escape');
  });

  it('deletes one', async ({ task }) => {
    await stage.changeCard();
    await atWork(task.name);
    await routes.choose.cardIsRead();
    await routes.choose.typeAccount();
    await routes.choose.delete('Transit');
    await window.look('chosen-delete');
    await routes.choose.review();
    await window.look('plan-delete');
    await routes.plan.start();
    await routes.plan.confirmation.waitFor();
    await routes.plan.confirm();
    await routes.end.takesCard();
    await routes.choose.app('Transit').getByText('Not installed').waitFor();
    await window.look('deleted');
    const [job] = (await stage.record(await cardOnScreen())).jobs;
    expect(job).toMatchObject({ result: 'complete', deleted: ['transit'] });
  });

  it('lets somebody in with a secret that was made for them, who first chooses their own', async ({
    task,
  }) => {
    const given = await stage.letIn('zhou', '周涛');
    await close();
    await open(task.name);
    await routes.entrance.typePerson('zhou', given);
    await routes.entrance.submit.click();
    await routes.entrance.chooseSecret('short');
    await window.page.getByText('At least 8 characters').waitFor();
    await window.look('own-secret');
    await routes.entrance.chooseSecret('one of my own', 'one of mine');
    await window.page.getByText('The two are not the same').waitFor();
    await routes.entrance.chooseSecret('one of my own');
    await window.page.getByRole('button', { name: 'User: 周涛' }).waitFor();
    await close();
    await open(`${task.name}, again`);
    await routes.entrance.typePerson('zhou', 'one of my own');
    await routes.entrance.submit.click();
    await window.page.getByRole('button', { name: 'User: 周涛' }).waitFor();
    await close();
  });

  it('is served by keyboard alone, in few keys', async ({ task }) => {
    await stage.changeCard();
    await close();
    await open(task.name);
    const { keyboard } = window.page;
    // What is typed before a field has the keyboard goes nowhere, and on a busy machine it takes it late.
    await expect.poll(() => focusedName()).toMatch(/User name/);
    await keyboard.type(stage.people.clerk.operator);
    await keyboard.press('Tab');
    await expect.poll(() => focusedName()).toMatch(/Password/);
    await keyboard.type(stage.people.clerk.secret);
    await keyboard.press('Enter');
    await routes.choose.cardIsRead();
    await expect.poll(() => focusedName()).toMatch(/account/);
    await keyboard.type('6217001234567890');
    let keys = 0;
    const press = async (key: string) => {
      keys += 1;
      await keyboard.press(key);
    };
    await press('Tab');
    await press('Space');
    await press('Enter');
    await routes.lane.getByRole('heading', { name: 'Please check' }).waitFor();
    await window.look('plan-keyboard');
    await expect.poll(() => focusedName()).toMatch(/Start/);
    await press('Enter');
    await routes.end.takesCard();
    expect(keys).toBeLessThanOrEqual(6);
  });

  it('keeps zoom, language and theme over a restart, and nothing is cut at 200 %', async ({ task }) => {
    await stage.changeCard();
    await atWork(task.name);
    await routes.choose.cardIsRead();
    for (let step = 0; step < 5; step += 1) await window.pressShortcut('=');
    await expect.poll(() => zoom()).toBe(2);
    await window.look('choose-200');
    expect(await overflows()).toEqual([]);
    await window.wear('zh-CN', 'dark');
    await close();
    await open('restarted', { language: 'zh-CN', keep: true });
    expect(await zoom()).toBe(2);
    expect(await window.worn()).toEqual({ language: 'zh-CN', theme: 'dark' });
    await window.pressShortcut('0');
    await expect.poll(() => zoom()).toBe(1);
  });
});

async function open(story: string, kept: Pick<WindowOptions, 'language' | 'keep'> = {}): Promise<void> {
  window = await openWindow({ story, station: stage.station, moving: true, ...kept });
  isOpen = true;
  routes = new Routes(window, stage);
}

/** With somebody signed in. */
async function atWork(story: string): Promise<void> {
  if (isOpen) return;
  await open(story);
  await routes.entrance.signIn();
}

async function close(): Promise<void> {
  if (!isOpen) return;
  isOpen = false;
  await window.close();
  expect(window.complaints).toEqual([]);
}

function zoom(): Promise<number | undefined> {
  return window.app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.webContents.getZoomFactor(),
  );
}

/** The name of what has the keyboard. */
function focusedName(): Promise<string> {
  return window.page.evaluate(() => {
    const { activeElement: element } = document;
    const label = element?.getAttribute('aria-labelledby')?.split(' ')[0] ?? '';
    return (
      element?.getAttribute('aria-label') ??
      document.getElementById(label)?.innerText ??
      element?.innerText ??
      ''
    );
  });
}

/** Whether one has to scroll sideways. */
function overflows(): Promise<string[]> {
  return window.page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`${scrollWidth} > ${clientWidth}`] : [];
  });
}

/** The card's number as it stands on the screen. */
async function cardOnScreen(): Promise<string> {
  const text = await routes.lane.innerText();
  return /\d{4} \d{4} \d{4} \d{4}/.exec(text)?.[0].replaceAll(' ', '') ?? '';
}
