/** A window for measuring: nothing beside what a clerk's would do, and times taken inside the page. */

import { LIMIT } from '../../support/limit.ts';
import { APP, environment, launch, theElectron } from './electron.ts';

export interface MeasuredWindow {
  readonly electron: string;
  /** From the window's making to its first painted content with something to do in it, ms. */
  readonly paintMs: number;
  /** From the start of the program's process to the same, ms. */
  readonly startMs: number;
  signIn(person: { readonly operator: string; readonly secret: string }): Promise<void>;
  waitForEmpty(): Promise<void>;
  /** Waits for the list of apps; the page's clock when the lane said that a card is read, and when the list was there. */
  waitForList(): Promise<{ noticed: number; list: number }>;
  close(): Promise<void>;
}

/** What the page notes down by itself, so that the measuring does not wait for the line to it. */
const WATCH = `document.body.dataset.listAt = document.body.dataset.noticedAt = ''; new MutationObserver(() => {
  const { dataset } = document.body;
  if (document.querySelector('[data-stage="looking"]') !== null && dataset.noticedAt === '') dataset.noticedAt = String(Date.now());
  const list = document.querySelector('[data-stage="choose"] ul li');
  if (list !== null && dataset.listAt === '') dataset.listAt = String(Date.now());
}).observe(document.body, { subtree: true, childList: true })`;

/** The entry may come after the paint that it tells of. Text, because Node's own types know no paint. */
const FIRST_PAINT = `new Promise((resolve) => {
  new PerformanceObserver((list, observer) => {
    const [paint] = list.getEntriesByName('first-contentful-paint');
    if (paint === undefined) return;
    observer.disconnect();
    resolve({ paintMs: paint.startTime, origin: performance.timeOrigin });
  }).observe({ type: 'paint', buffered: true });
})`;

export async function openForMeasuring(station: string): Promise<MeasuredWindow> {
  const { app } = await launch({
    executablePath: theElectron().path,
    args: [APP, `--station=${station}`, '--language=en'],
    env: environment(),
  });
  try {
    const page = await app.firstWindow();
    await page.getByRole('textbox', { name: 'User name' }).waitFor();
    // Chromium's own: from the start of the load, which begins with the window, to the first content on the screen.
    const { paintMs, origin } = await page.evaluate<{ paintMs: number; origin: number }>(FIRST_PAINT);
    const born = await app.evaluate(() => process.getCreationTime() ?? Number.NaN);
    const electron = await app.evaluate(() => process.versions['electron'] ?? '');
    return {
      electron,
      paintMs,
      startMs: origin + paintMs - born,
      signIn: async ({ operator, secret }) => {
        await page.getByRole('textbox', { name: 'User name' }).fill(operator);
        await page.getByLabel('Password').fill(secret);
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByRole('button', { name: /^User:/ }).waitFor();
      },
      waitForEmpty: async () => {
        await page.waitForFunction(
          () => document.querySelector('[data-stage]')?.dataset['stage'] === 'empty',
          undefined,
          { timeout: LIMIT },
        );
        await page.evaluate(WATCH);
      },
      waitForList: async () => {
        await page.waitForFunction(() => (document.body.dataset['listAt'] ?? '') !== '', undefined, {
          timeout: LIMIT,
        });
        const at = await page.evaluate(() => ({ ...document.body.dataset }));
        return { noticed: Number(at['noticedAt']), list: Number(at['listAt']) };
      },
      close: async () => {
        const main = app.process();
        const ended = new Promise((resolve) => main.once('exit', resolve));
        main.kill('SIGTERM');
        const limit = setTimeout(() => main.kill('SIGKILL'), LIMIT);
        await ended;
        clearTimeout(limit);
      },
    };
  } catch (error) {
    app.process().kill('SIGKILL');
    throw error;
  }
}
