/** How the program starts, a second time too, and how it ends. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SOURCES, startDemo } from '../support/demo-run.ts';
import { LIMIT } from '../support/limit.ts';
import { Routes } from './routes/index.ts';
import { APP, environment, theElectron } from './support/electron.ts';
import { childrenOf, isAlive } from './support/processes.ts';
import { dataFolder, openStage, type StoryStage } from './support/stage.ts';
import { openWindow, type StationWindow } from './support/window.ts';

const data = dataFolder();
afterAll(() => data.remove());

const sandbox = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : [];

describe('a station that is not set up', () => {
  it.each([
    ['has no configuration', undefined],
    ['has one that is damaged', '{ "version": 1, "server": '],
    ['has one with a field that nobody knows', '{ "version": 1, "more": true }'],
  ])('%s: says that it cannot be used, and closes at once', async (what, config) => {
    const station = join(data.folder, what.replaceAll(' ', '-'));
    mkdirSync(station);
    if (config !== undefined) writeFileSync(join(station, 'station.json'), config);
    const begun = performance.now();
    const window = await openWindow({ story: `not set up ${what}`, station });
    const opening = performance.now() - begun;
    await window.page.getByRole('heading', { name: 'This station cannot be used yet' }).waitFor();
    await window.page.getByText('This station is not set up yet, or not rightly.').waitFor();
    await window.look('cannot-be-used');
    const asked = performance.now();
    await window.close();
    // The limit follows the machine's speed: closing is less work than opening.
    expect(performance.now() - asked).toBeLessThan(Math.max(opening, 5_000));
    expect(window.complaints).toEqual([]);
    // The screen says only that something is wrong; the administrator finds in the log what.
    expect(readFileSync(join(station, 'station.log'), 'utf8')).toContain('station not opened');
  });
});

describe('a station without PC/SC', () => {
  let stage: StoryStage;
  let window: StationWindow;

  beforeAll(async () => {
    stage = await openStage(data.folder, ['--built-in']);
    window = await openWindow({ story: 'training reader', station: stage.station });
  });
  afterAll(async () => {
    await window?.close();
    await stage?.close();
  });

  it('one instance: a second start shows the window of the first and ends', async () => {
    await window.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.hide());
    const second = spawn(theElectron().path, [...sandbox, APP, `--station=${stage.station}`], {
      stdio: 'ignore',
      env: environment(),
    });
    const limit = setTimeout(() => second.kill('SIGKILL'), LIMIT);
    const code = await new Promise((resolve) => second.once('exit', resolve));
    clearTimeout(limit);
    expect(code).toBe(0);
    const shown = await window.app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((one) => one.isVisible()),
    );
    expect(shown).toEqual([true]);
  });

  it('issues a card in the training reader', async () => {
    const routes = new Routes(window, stage);
    await routes.entrance.signIn();
    await routes.choose.cardIsRead();
    await routes.choose.typeAccount();
    await routes.choose.tick('E-wallet');
    await routes.choose.review();
    await routes.plan.start();
    await routes.end.takesCard();
    await stage.readers.remove();
    await routes.isEmpty();
    await stage.readers.insert(await stage.newCard(), 'realistic');
    await routes.choose.cardIsRead();
  });
});

describe('npm start', () => {
  const env = () => ({ KAIKA_ELECTRON: theElectron().path, KAIKA_ELECTRON_ARGUMENTS: sandbox.join(' ') });

  it('says how to sign in, and takes everything down when it is stopped', async () => {
    const run = startDemo(data.folder, ['--language', 'en'], env());
    await run.told(/sign in as {2}clerk\n.*password {4}\S{10,}\n/);
    await run.told(/n {2}a new card/);
    const pid = run.child.pid ?? 0;
    await expect.poll(() => childrenOf(pid).length).toBeGreaterThan(5);
    const family = childrenOf(pid);
    run.child.kill('SIGINT');
    expect((await run.ended).status).toBe(130);
    expect(family.filter(isAlive)).toEqual([]);
  });

  it('takes cards in and out at the terminal, and ends with the window', async () => {
    const child = spawn(process.execPath, [SOURCES, '--latency', 'none'], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...process.env, ...env(), KAIKA_DATA: data.folder },
    });
    let said = '';
    child.stderr.on('data', (text) => {
      said += String(text);
    });
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const told = (text: string) => expect.poll(() => said).toContain(text);
    try {
      await told('At this terminal');
      for (const [key, answer] of [
        ['p', 'the reader is empty'],
        ['b', 'the same card is in the reader'],
        ['n', 'a new card is in the reader'],
        ['s', 'the key server is away'],
        ['s', 'the key server is back'],
      ] as const) {
        child.stdin.write(`${key}\n`);
        await told(`→ ${answer}`);
      }
      child.stdin.write('q\n');
      expect(await ended).toBe(0);
    } finally {
      clearTimeout(limit);
      child.kill('SIGKILL');
    }
  });

  it('refuses in a sentence without the launcher', async () => {
    const run = startDemo(data.folder, [], { KAIKA_ELECTRON: '' });
    expect(await run.ended).toMatchObject({ status: 1, stderr: expect.stringContaining('npm start') });
  });
});
