/** A station's window in the real Electron: opened with a limit, looked at in every language and theme, ended by its id. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { ElectronApplication, Page } from 'playwright';
import { expect, vi } from 'vitest';
import { LIMIT, PATIENT } from '../../support/limit.ts';
import { APP, environment, launch, theElectron } from './electron.ts';
import { addEvidence, SCREENS } from './evidence.ts';
import { childrenOf, commandOf, isAlive } from './processes.ts';
import { unfit } from './words.ts';

export { environment, theElectron };

/** WCAG 2.2 AA, and everything below it. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
/** Those of them that judge colours. A theme changes nothing but colours, so in the second theme they are all there is to ask. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block'];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Nothing to load; an empty text would be taken for none. */
const NOTHING = ';';
/** In this order each change is of one of the two, and the first is what a story wears: a language costs more than a theme. */
const CLOTHES = [
  ['en', 'light'],
  ['en', 'dark'],
  ['zh-CN', 'dark'],
  ['zh-CN', 'light'],
] as const;
type Language = (typeof CLOTHES)[number][0];
type Theme = (typeof CLOTHES)[number][1];

export interface WindowOptions {
  readonly story: string;
  readonly station: string;
  readonly language?: Language;
  /** Leave settings as an earlier window kept them. */
  readonly keep?: boolean;
  /** With the animations that a person sees. The others ask for reduced motion: without a graphics card each frame of a spinner is drawn by the processor. */
  readonly moving?: boolean;
  /** Another Electron than the one that is found. */
  readonly executable?: string;
  /** With Chromium's sandbox, which refuses to work for root. */
  readonly sandboxed?: boolean;
  readonly home?: string;
  /** The packaged station, which has its app inside. */
  readonly packaged?: string;
  readonly args?: readonly string[];
}

/** States that were looked at in every language and theme, by this file's windows together: the same name is the same content. */
const seen = new Set<string>();

export class StationWindow {
  readonly app: ElectronApplication;
  readonly page: Page;
  readonly pid: number;
  /** What the page complained of: broken rules of the policy, errors nobody caught. */
  readonly complaints: string[] = [];
  readonly #story: string;
  readonly #exited: Promise<void>;

  constructor(app: ElectronApplication, page: Page, story: string) {
    page.setDefaultTimeout(LIMIT);
    this.app = app;
    this.page = page;
    this.#story = story;
    const main = app.process();
    this.pid = main.pid ?? 0;
    this.#exited = new Promise((resolve) => {
      if (main.exitCode !== null || main.signalCode !== null) resolve();
      else main.once('exit', () => resolve());
    });
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
  }

  /** The engine's own process; undefined while there is none. */
  enginePid(): number | undefined {
    return childrenOf(this.pid).find((pid) => commandOf(pid).includes('node.mojom.NodeService'));
  }

  /**
   * Looks at the screen as it is: axe, the words on it and a picture, in both languages and themes. A state that passes is
   * held by stopping the engine meanwhile. After the last look at a page it may stay in the language and theme of the last picture.
   */
  async look(state: string, { passing = false, last = false } = {}): Promise<void> {
    const engine = passing ? this.enginePid() : undefined;
    const again = seen.has(state);
    seen.add(state);
    if (engine !== undefined) process.kill(engine, 'SIGSTOP');
    try {
      if (again) return await this.#inspect(state, 'en', 'light');
      for (const [language, theme] of CLOTHES) {
        const worn = await this.worn();
        if (worn.language !== language || worn.theme !== theme) await this.wear(language, theme);
        await this.#inspect(state, language, theme);
      }
      if (!last) await this.wear('en', 'light');
    } finally {
      if (engine !== undefined && isAlive(engine)) process.kill(engine, 'SIGCONT');
    }
  }

  async wear(language: Language, theme: Theme): Promise<void> {
    await this.page.evaluate((settings) => window.kaika.shell.changeSettings(settings), { language, theme });
    await this.page.waitForFunction(
      (asked) =>
        document.documentElement.lang === asked.language &&
        document.documentElement.dataset['theme'] === asked.theme,
      { language, theme },
    );
  }

  /** What the page wears now. */
  worn(): Promise<{ language: string; theme: string | undefined }> {
    return this.page.evaluate(() => ({
      language: document.documentElement.lang,
      theme: document.documentElement.dataset['theme'],
    }));
  }

  async #inspect(state: string, language: Language, theme: Theme): Promise<void> {
    const folder = join(SCREENS, this.#story.replaceAll(/[^\w-]+/g, '-'));
    mkdirSync(folder, { recursive: true });
    // For people to look at: as PNG it would take the program twice the time.
    await this.page.screenshot({
      path: join(folder, `${state}.${language}.${theme}.jpeg`),
      type: 'jpeg',
      quality: 90,
      animations: 'disabled',
      timeout: LIMIT,
    });
    // Legacy mode keeps to this page: Electron has no way for Playwright to open the second one that axe would use otherwise.
    const axeSource = await this.#giveAxe();
    const axe = new AxeBuilder({ page: this.page, axeSource }).setLegacyMode(true);
    axe.options({ runOnly: theme === 'light' ? RULES : COLOUR_RULES, resultTypes: ['violations'] });
    const result = await axe.analyze();
    const rules = result.violations.map(
      ({ id, nodes }) => `${id} (${nodes.map((node) => node.target).join('; ')})`,
    );
    addEvidence({
      kind: 'screen',
      story: this.#story,
      state,
      language,
      theme,
      violations: rules.length,
      rules,
    });
    expect.soft(rules, `axe: ${state}, ${language}, ${theme}`).toEqual([]);
    expect.soft(unfit(await this.#words(), language), `words: ${state}, ${language}`).toEqual([]);
  }

  /**
   * Loads axe into the page unless it is there from an earlier look; gives what AxeBuilder is to load then, which it does twice a look. Of
   * its own accord it takes the source in full, 1.5 MB, and loading took longer than looking.
   */
  async #giveAxe(): Promise<string> {
    // Frames are given it by AxeBuilder.
    if (this.page.frames().length > 1) return AXE;
    const there = await this.page.evaluate(() => typeof Reflect.get(window, 'axe') === 'object');
    if (!there) await this.page.evaluate(AXE);
    return NOTHING;
  }

  /** Everything a person reads or hears: the text, and the names that only a screen reader says. */
  #words(): Promise<string> {
    return this.page.evaluate(() => {
      const names = [...document.querySelectorAll('[aria-label],[title],[alt],[placeholder]')].flatMap(
        (element) =>
          ['aria-label', 'title', 'alt', 'placeholder'].map((name) => element.getAttribute(name) ?? ''),
      );
      return [document.body.innerText, ...names].join('\n');
    });
  }

  /**
   * Control and a key as the system hands them to the program: keys of the DevTools protocol, which Playwright presses, go
   * to the page past the program's own shortcuts (Chromium, `skip_if_unhandled`).
   */
  async pressShortcut(key: string): Promise<void> {
    await this.app.evaluate(({ BrowserWindow }, keyCode) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents;
      for (const type of ['keyDown', 'keyUp'] as const)
        contents?.sendInputEvent({ type, keyCode, modifiers: ['control'] });
    }, key);
  }

  /** Native dialogs are answered with the button of this number from now on, and counted. */
  async answerDialogs(button: number): Promise<void> {
    await this.app.evaluate(({ dialog }, response) => {
      let asked = 0;
      Object.assign(dialog, {
        showMessageBox: () => {
          asked += 1;
          Object.assign(globalThis, { askedDialogs: asked });
          return Promise.resolve({ response, checkboxChecked: false });
        },
      });
    }, button);
  }

  askedDialogs(): Promise<number> {
    return this.app.evaluate(() => Number(Reflect.get(globalThis, 'askedDialogs') ?? 0));
  }

  /** The frame's own button. */
  async pressClose(): Promise<void> {
    const close = this.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
    // The program may be gone before it has answered.
    await Promise.race([close.catch(() => undefined), this.#exited]);
  }

  /** Closes it as a person does, where the window does not ask, and waits until none of its processes is left. */
  async close(): Promise<void> {
    const family = isAlive(this.pid) ? [this.pid, ...childrenOf(this.pid)] : [];
    await this.pressClose();
    const timer = setTimeout(() => this.kill(), LIMIT);
    await this.#exited;
    clearTimeout(timer);
    await vi.waitFor(() => expect(family.filter(isAlive)).toEqual([]), PATIENT);
  }

  /** Ends all its processes at once, as a power cut would. */
  kill(): void {
    for (const pid of [this.pid, ...(isAlive(this.pid) ? childrenOf(this.pid) : [])]) {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
  }
}

export async function openWindow(options: WindowOptions): Promise<StationWindow> {
  const { story, station, language = 'en', args = [] } = options;
  const { app, attempts } = await launch({
    executablePath: options.packaged ?? options.executable ?? theElectron().path,
    args: [
      ...(options.packaged === undefined ? [APP] : []),
      `--station=${station}`,
      `--language=${language}`,
      ...args,
    ],
    env: { ...environment(), ...(options.home === undefined ? {} : { HOME: options.home }) },
    // Playwright turns it off unless it is told not to.
    chromiumSandbox: options.sandboxed === true,
  });
  try {
    const page = await app.firstWindow({ timeout: LIMIT });
    const window = new StationWindow(app, page, story);
    if (options.moving !== true) await page.emulateMedia({ reducedMotion: 'reduce' });
    const versions = await app.evaluate(() => ({
      electron: process.versions['electron'] ?? '',
      chrome: process.versions['chrome'] ?? '',
      node: process.versions.node,
    }));
    addEvidence({
      kind: 'process',
      story,
      sandboxed: !commandOf(window.pid).includes('--no-sandbox'),
      attempts,
      versions,
    });
    await page.waitForFunction(
      () => document.documentElement.lang !== '' && document.querySelector('h1') !== null,
    );
    if (options.keep !== true) await window.wear(language, 'light');
    return window;
  } catch (error) {
    app.process().kill('SIGKILL');
    throw error;
  }
}
