/**
 * Every state the window knows, also those that no story comes to: axe, words and pictures in both languages and themes,
 * nothing cut and nothing too small to hit, at full size and at 200 %.
 */
import { createHash } from 'node:crypto';
import type { Locator, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SCENES } from '../../renderer/mock/scenes.ts';
import { openSceneWindow, type SceneWindow } from './support/scene-window.ts';

let scenes: SceneWindow;
let page: Page;

beforeAll(openScenes);
afterAll(closeScenes);

describe('at full size', () => {
  it.each(STATES)('$name', async ({ name, scene = name, act }) => {
    await scenes.open(scene);
    await act?.();
    expect(await misfits()).toEqual([]);
    await scenes.window.look(`scene-${name}`, { last: true });
  });
});

describe('at 200 %', () => {
  beforeAll(async () => {
    await scenes.resize(640, 400);
    await page.waitForFunction('innerWidth === 640 && innerHeight === 400');
  });
  afterAll(() => scenes.resize(1280, 800));

  it.each(STATES)('$name', async ({ name, scene = name, act }) => {
    await scenes.open(scene);
    await act?.();
    expect(await misfits()).toEqual([]);
    await scenes.window.wear('zh-CN', 'light');
    expect(await misfits()).toEqual([]);
  });
});

describe('a state shown after another is the one that a page of its own shows', () => {
  it.each([
    ['sign-in', 'sign-in-refused'],
    ['choose-known', 'history'],
    ['choose-new', 'plan'],
  ])('%s after %s', async (name, former) => {
    await scenes.load(name);
    const alone = await shown();
    const { scene = former, act } = STATES.find((state) => state.name === former) ?? {};
    await scenes.load(scene);
    await act?.();
    await scenes.open(name);
    expect(await shown()).toEqual(alone);
  });

  /** Everything on the page, what has the keyboard, and every pixel. Ids are counted through, and a style taken away leaves its empty name. */
  async function shown() {
    const [text, focused] = z
      .tuple([z.string(), z.string()])
      .parse(await page.evaluate('[document.documentElement.outerHTML, document.activeElement.outerHTML]'));
    const plain = (html: string) =>
      html.replaceAll(/react-aria[\w:«»-]+|[_«:]r[\w]*[_»:]/g, 'id').replaceAll(' style=""', '');
    const picture = await page.screenshot({ animations: 'disabled' });
    return {
      text: plain(text),
      focused: plain(focused),
      picture: createHash('sha256').update(picture).digest('hex'),
    };
  }
});

async function openScenes(): Promise<void> {
  scenes = await openSceneWindow('scenes');
  page = scenes.window.page;
}

async function closeScenes(): Promise<void> {
  await scenes.close();
  expect(scenes.window.complaints).toEqual([]);
}

const button = (name: string | RegExp): Locator => page.getByRole('button', { name });

const review = async () => {
  await page.getByRole('checkbox').first().press('Space');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /Please check|This cannot be done/ }).waitFor();
};

const reviewAndStart = async () => {
  await review();
  await button('Start').press('Enter');
};

const giveName = async (root: Page | Locator, secret: string) => {
  await root.getByRole('textbox').first().fill('zhao.min');
  await root.locator('input[type=password]').fill(secret);
  await page.keyboard.press('Enter');
};

let clock: Promise<void> | undefined;
/** The scene when nothing has moved for a minute, which is told in these words. */
const aMinuteLater = async (scene: string, words: string) => {
  clock ??= page.clock.install();
  await clock;
  // Only a page that was loaded after it has the other clock everywhere.
  await scenes.load(scene);
  expect(await page.getByText(words).count()).toBe(0);
  await page.clock.fastForward(60_000);
  await page.getByText(words).waitFor();
};

/** States that take a few steps from a scene. */
const STEPS: readonly State[] = [
  { name: 'sign-in-missing', scene: 'sign-in', act: () => button('Sign in').click() },
  {
    name: 'sign-in-refused',
    act: async () => {
      await giveName(page, 'wrong');
      await page.getByRole('alert').waitFor();
    },
  },
  {
    name: 'own-secret',
    scene: 'sign-in-one-time',
    act: async () => {
      await giveName(page, 'given');
      await page.getByRole('heading', { name: 'Choose your own password' }).waitFor();
      await page.getByRole('textbox', { name: 'New password', exact: true }).fill('short');
      await button('Save and sign in').click();
    },
  },
  {
    name: 'choose-ticked',
    scene: 'choose-known',
    act: async () => {
      await page.getByRole('checkbox').first().press('Space');
      await button('Delete E-wallet').click();
    },
  },
  { name: 'choose-nothing', scene: 'choose-known', act: () => button('Next').click() },
  {
    name: 'choose-no-account',
    scene: 'choose-new',
    act: async () => {
      await page.getByRole('checkbox').first().press('Space');
      await button('Next').click();
    },
  },
  { name: 'plan', scene: 'choose-known', act: review },
  { name: 'plan-delete', act: review },
  { name: 'plan-too-large', act: review },
  {
    name: 'start-refused',
    act: async () => {
      await reviewAndStart();
      await page.getByRole('alert').waitFor();
    },
  },
  {
    name: 'confirm',
    scene: 'plan-delete',
    act: async () => {
      await reviewAndStart();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'confirm-refused',
    act: async () => {
      await reviewAndStart();
      await giveName(page.getByRole('dialog'), 'wrong');
      await page.getByRole('alert').waitFor();
    },
  },
  { name: 'job-long', act: () => page.getByText(/about \d+ s left/).waitFor() },
  {
    name: 'job-give-up',
    scene: 'job-card-pulled',
    act: async () => {
      await button('Give this work up').click();
      await page.getByRole('alertdialog').waitFor();
    },
  },
  {
    name: 'history',
    scene: 'choose-known',
    act: async () => {
      await button('History').click();
      await page.getByRole('dialog').getByRole('listitem').first().waitFor();
    },
  },
  {
    name: 'history-empty',
    scene: 'choose-new',
    act: async () => {
      await button('History').click();
      await page.getByText('Nothing on record yet.').waitFor();
    },
  },
  { name: 'settings', scene: 'empty', act: () => button('Settings').click() },
  { name: 'user', scene: 'empty', act: () => button(/^User:/).click() },
  { name: 'server-away', scene: 'choose-unconfirmed', act: () => button(/Server away/).click() },
  { name: 'wrong-clock', act: () => button('Clock is wrong').click() },
  // Last, because the page has another clock from then on.
  { name: 'job-at-card', act: () => aMinuteLater('job-at-card', 'The card is taking its time') },
  {
    name: 'job-server-slow',
    scene: 'job-working',
    act: () => aMinuteLater('job-working', 'The server has not answered yet'),
  },
];

const STATES: readonly State[] = [
  ...Object.keys(SCENES)
    .filter((name) => name !== 'live' && STEPS.every((state) => state.name !== name))
    .map((name) => ({ name })),
  ...STEPS,
];

interface State {
  /** Its name in the evidence, and the scene it begins with where that is another. */
  readonly name: string;
  readonly scene?: string;
  /** What a clerk does to come to it. */
  readonly act?: () => Promise<unknown>;
}

/** What is cut off or scrolls sideways, and main targets under 44 pixels. Pictures and what is hidden from the eye apart. */
const MISFITS = `(() => {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth + 1) found.push('the page is wider than the window');
  for (const element of document.querySelectorAll('body *')) {
    const box = element.getBoundingClientRect();
    if (element.closest('svg') !== null || box.width < 3) continue;
    const { overflowX } = getComputedStyle(element);
    const picture = element.querySelector(':scope > svg[aria-hidden]') !== null;
    if (overflowX === 'hidden' && !picture && element.scrollWidth > element.clientWidth + 1) {
      found.push('cut: ' + element.textContent);
    }
  }
  for (const control of document.querySelectorAll('button, input')) {
    const target = control.closest('label') ?? control;
    const { width, height } = target.getBoundingClientRect();
    if (width > 20 && (width < 44 || height < 44)) found.push('small: ' + target.textContent);
  }
  return found;
})()`;

const misfits = async () => z.array(z.string()).parse(await page.evaluate(MISFITS));
