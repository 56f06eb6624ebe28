/** From the window's own console nothing works that is not in the schema. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataFolder, openStage, type StoryStage } from './support/stage.ts';
import { openWindow, type StationWindow } from './support/window.ts';

const data = dataFolder();
let stage: StoryStage;
let window: StationWindow;

beforeAll(async () => {
  stage = await openStage(data.folder);
  window = await openWindow({ story: 'from the console', station: stage.station });
});
afterAll(async () => {
  await window.close();
  await stage.close();
  data.remove();
});

describe('from the console', () => {
  it('there is no Node and no Electron', async () => {
    for (const name of [
      'require',
      'process',
      'module',
      'Buffer',
      'global',
      '__dirname',
      'electron',
      'ipcRenderer',
    ]) {
      expect(await console(`typeof ${name}`), name).toBe('undefined');
    }
  });

  it('the bridge holds the functions of the schema and cannot be changed', async () => {
    const names = `Object.entries(window.kaika).flatMap(([group, calls]) =>
      typeof calls === 'function' ? [group] : Object.keys(calls).map((call) => group + '.' + call))`;
    expect(await console(`(${names}).sort().join()`)).toBe(
      'card.history,card.relook,job.abandon,job.preview,job.start,onNotification,server.check,session.confirm,session.signIn,session.signOut,shell.changeSettings,shell.start',
    );
    await console(
      `try { window.kaika.shell.start = () => 'mine' } catch {}; try { window.kaika.shell = {} } catch {}; try { window.kaika = {} } catch {}`,
    );
    expect(await console(`window.kaika.shell.start({}).then((answer) => answer.ok)`)).toBe(true);
  });

  it.each([
    ['another address', `location.href = 'https://example.org/'`],
    ['a file', `location.href = 'file:///etc/passwd'`],
    ['another page of ours', `location.href = 'app://station/other.html'`],
    ['data', `location.assign('data:text/html,x')`],
    ['a script address', `location.href = 'javascript:document.title="gone"'`],
    [
      'a form',
      `{ const f = document.createElement('form'); f.action = 'https://example.org/'; document.body.append(f); f.submit(); f.remove(); }`,
    ],
  ])('it goes nowhere: %s', async (_what, code) => {
    await console(`{ ${code}; undefined }`);
    await window.page.waitForTimeout(200);
    expect(window.page.url()).toBe('app://station/index.html');
    expect(await console(`document.title`)).toBe('Kaika');
    expect(await console(`window.kaika.shell.start({}).then((answer) => answer.ok)`)).toBe(true);
  });

  it.each([
    ['window.open', `window.open('https://example.org/') === null`],
    ['window.open of our own page', `window.open('app://station/index.html') === null`],
    [
      'a link to a new window',
      `(() => { const a = document.createElement('a'); a.href = 'https://example.org/'; a.target = '_blank'; document.body.append(a); a.click(); a.remove(); return true; })()`,
    ],
  ])('it opens no window: %s', async (_what, code) => {
    expect(await console(code)).toBe(true);
    expect(await window.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
  });

  it.each([
    ['fetch', `fetch('https://example.org/').then(() => 'went', () => 'refused')`],
    ['fetch of our own files', `fetch('app://station/index.html').then(() => 'went', () => 'refused')`],
    ['fetch of a file', `fetch('file:///etc/passwd').then(() => 'went', () => 'refused')`],
    [
      'XMLHttpRequest',
      `new Promise((done) => { const x = new XMLHttpRequest(); x.onload = () => done('went'); x.onerror = () => done('refused'); x.open('GET', 'https://example.org/'); x.send(); })`,
    ],
    [
      'WebSocket',
      `new Promise((done) => { try { const s = new WebSocket('wss://example.org/'); s.onopen = () => done('went'); s.onerror = () => done('refused'); } catch { done('refused'); } })`,
    ],
    [
      'an image',
      `new Promise((done) => { const i = new Image(); i.onload = () => done('went'); i.onerror = () => done('refused'); i.src = 'https://example.org/x.png'; })`,
    ],
    [
      'a frame',
      `new Promise((done) => { const f = document.createElement('iframe'); f.src = 'https://example.org/'; document.body.append(f); setTimeout(() => { let inside; try { inside = f.contentDocument?.body?.innerText ?? 'away'; } catch { inside = 'away'; } f.remove(); done(inside === '' || inside === 'away' ? 'refused' : 'went'); }, 400); })`,
    ],
    [
      'a beacon',
      `Promise.resolve(navigator.sendBeacon('https://example.org/', 'x') ? 'queued' : 'refused').then((said) => said === 'queued' ? new Promise((done) => setTimeout(() => done('refused'), 200)) : said)`,
    ],
  ])('it asks nobody for anything: %s', async (_what, code) => {
    expect(await console(code)).toBe('refused');
  });

  it.each([
    ['eval', `eval('1')`],
    ['Function', `new Function('return 1')()`],
    [
      'an inline script',
      `(() => { const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s); return window.ran; })()`,
    ],
    [
      'markup',
      `(() => { const d = document.createElement('div'); d.innerHTML = '<img src=x onerror="window.ran = true">'; document.body.append(d); return window.ran; })()`,
    ],
    ['a worker', `new Worker('data:text/javascript,1')`],
  ])('it runs nothing that did not come with the program: %s', async (_what, code) => {
    // Playwright's own evaluation is above the policy, so the attempt is made from a task of the page's.
    const attempt = `new Promise((done) => {
      const onError = (event) => { event.preventDefault(); };
      window.addEventListener('error', onError);
      const channel = new MessageChannel();
      channel.port1.onmessage = () => { let made; try { made = (() => (${code}))(); } catch { made = 'refused'; } setTimeout(() => done(made instanceof Object ? 'object' : made ?? 'refused'), 150); };
      channel.port2.postMessage(0);
    })`;
    const said = await console(attempt);
    expect(said === 1 || said === true).toBe(false);
    expect(await console('window.ran')).toBe(undefined);
  });

  it.each([
    [
      'camera',
      `navigator.mediaDevices === undefined ? 'refused' : navigator.mediaDevices.getUserMedia({ video: true }).then(() => 'given', () => 'refused')`,
    ],
    [
      'place',
      `new Promise((done) => navigator.geolocation.getCurrentPosition(() => done('given'), () => done('refused')))`,
    ],
    [
      'notifications',
      `Notification.requestPermission().then((said) => said === 'granted' ? 'given' : 'refused')`,
    ],
    [
      'clipboard',
      `navigator.clipboard === undefined ? 'refused' : navigator.clipboard.readText().then(() => 'given', () => 'refused')`,
    ],
    ['USB', `navigator.usb.requestDevice({ filters: [] }).then(() => 'given', () => 'refused')`],
    ['HID', `navigator.hid.requestDevice({ filters: [] }).then(() => 'given', () => 'refused')`],
    ['serial ports', `navigator.serial.requestPort().then(() => 'given', () => 'refused')`],
    ['the whole screen', `document.body.requestFullscreen().then(() => 'given', () => 'refused')`],
  ])('it is given no permission: %s', async (_what, code) => {
    expect(await console(code)).toBe('refused');
  });

  it('downloads nothing', async () => {
    await window.app.evaluate(({ BrowserWindow }) => {
      const [one] = BrowserWindow.getAllWindows();
      one?.webContents.session.on('will-download', (event) => {
        Object.assign(globalThis, {
          downloads: Number(Reflect.get(globalThis, 'downloads') ?? 0) + (event.defaultPrevented ? 0 : 1),
        });
      });
    });
    await console(
      `{ const a = document.createElement('a'); a.href = 'app://station/index.html'; a.download = 'x'; document.body.append(a); a.click(); a.remove(); undefined }`,
    );
    await window.page.waitForTimeout(300);
    expect(await window.app.evaluate(() => Number(Reflect.get(globalThis, 'downloads') ?? 0))).toBe(0);
    expect(window.page.url()).toBe('app://station/index.html');
  });
});

describe('requests between window and main', () => {
  const ask = (name: string, input: string) =>
    console(`window.kaika.${name}(${input}).then((answer) => answer.code ?? 'ok')`);

  it.each([
    ['session.signIn', `{ operator: 1, secret: 'x' }`],
    ['session.signIn', `{ operator: 'a', secret: 'x', more: true }`],
    ['session.signIn', `undefined`],
    [
      'job.start',
      `{ reader: 'x', card: '1', account: 'not digits', wishes: [{ app: 'e-wallet', action: 'enable' }] }`,
    ],
    [
      'job.start',
      `{ reader: 'x', card: '1', account: '6217001234567890', wishes: [{ app: 'e-wallet', action: 'format' }] }`,
    ],
    ['shell.changeSettings', `{ language: 'de' }`],
    ['shell.changeSettings', `{ __proto__: { theme: 'dark' }, other: 1 }`],
    ['card.relook', `{ reader: '' }`],
  ])('a wrong shape does not leave the window: %s %s', async (name, input) => {
    expect(await ask(name, input)).toBe('bad-request');
  });

  it('a wrong shape that gets past the bridge is refused by main', async () => {
    const answers = await fromPreload(`Promise.all([
      ipcRenderer.invoke('kaika:session.signIn', { operator: 1 }),
      ipcRenderer.invoke('kaika:shell.start', 'everything'),
    ]).then((all) => all.map((answer) => answer.code))`);
    expect(answers).toEqual(['bad-request', 'bad-request']);
  });

  it('a channel that is not in the schema has nobody behind it', async () => {
    const said = await fromPreload(
      `Promise.all(['kaika:apdu', 'kaika:transmit', 'open', 'show'].map((name) => ipcRenderer.invoke(name, {}).then(() => 'answered', () => 'nobody')))`,
    );
    expect(said).toEqual(['nobody', 'nobody', 'nobody', 'nobody']);
  });

  it('another window, even one with the same preload, is answered nothing', async () => {
    const said = await window.app.evaluate(
      async ({ BrowserWindow }, preload) => {
        const [ours] = BrowserWindow.getAllWindows();
        if (ours === undefined) throw new Error('no window');
        const { session } = ours.webContents;
        const other = new BrowserWindow({ show: false, webPreferences: { preload, sandbox: true, session } });
        try {
          await other.loadURL('app://station/index.html');
          return await other.webContents.executeJavaScript(
            `window.kaika.shell.start({}).then((answer) => answer.code ?? 'ok')`,
          );
        } finally {
          other.destroy();
        }
      },
      await preloadPath(),
    );
    expect(said).toBe('not-permitted');
  });

  it('a frame in the window has no bridge', async () => {
    const said = await console(`new Promise((done) => {
      const frame = document.createElement('iframe');
      document.body.append(frame);
      setTimeout(() => { const has = frame.contentWindow.kaika !== undefined; frame.remove(); done(has); }, 200);
    })`);
    expect(said).toBe(false);
  });

  /** As if the preload had been taken over: one more of them, with Electron's renderer half in hand. */
  async function fromPreload(code: string): Promise<unknown> {
    const folder = mkdtempSync(join(tmpdir(), 'kaika-taken-over-'));
    const path = join(folder, 'preload.js');
    writeFileSync(
      path,
      `const { ipcRenderer } = require('electron');
       const said = (value) => ipcRenderer.send('test:said', value);
       (${code}).then(said, (error) => said(String(error)));`,
    );
    try {
      return await window.app.evaluate(({ BrowserWindow, ipcMain }, preload) => {
        const [ours] = BrowserWindow.getAllWindows();
        if (ours === undefined) throw new Error('no window');
        const { session } = ours.webContents;
        return new Promise((resolve) => {
          ipcMain.once('test:said', (_event, value) => {
            session.setPreloads([]);
            resolve(value);
          });
          session.setPreloads([preload]);
          ours.webContents.reload();
        });
      }, path);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  function preloadPath(): Promise<string> {
    return window.app.evaluate(({ app }) => `${app.getAppPath()}/preload.cjs`);
  }
});

describe('the page that is served', () => {
  it('has the policy, with another nonce at each load', async () => {
    const load = () =>
      window.app.evaluate(async ({ BrowserWindow }) => {
        const [ours] = BrowserWindow.getAllWindows();
        const answer = await ours?.webContents.session.fetch('app://station/index.html');
        return {
          policy: answer?.headers.get('content-security-policy') ?? '',
          page: (await answer?.text()) ?? '',
        };
      });
    const [one, two] = [await load(), await load()];
    const nonceOf = (policy: string) => /'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
    expect(one.policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-/);
    expect(one.policy).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(nonceOf(one.policy)).toHaveLength(24);
    expect(one.page).toContain(`nonce="${nonceOf(one.policy)}"`);
    expect(nonceOf(one.policy)).not.toBe(nonceOf(two.policy));
  });

  it('is served by exact names only', async () => {
    const statuses = await window.app.evaluate(async ({ BrowserWindow }) => {
      const [ours] = BrowserWindow.getAllWindows();
      const names = [
        '/',
        '/../main.cjs',
        '/%2e%2e/main.cjs',
        '/..%2fmain.cjs',
        '/assets/',
        '/index.html/',
        '//etc/passwd',
      ];
      const of = async (url: string) => {
        try {
          return (await ours?.webContents.session.fetch(url))?.status;
        } catch {
          return 0;
        }
      };
      return Promise.all([...names.map((name) => of(`app://station${name}`)), of('app://other/index.html')]);
    });
    expect(statuses.every((status) => status === 404 || status === 0)).toBe(true);
  });
});

/** Runs text in the page, as somebody at its console would. What it throws comes back as text. */
async function console(code: string): Promise<unknown> {
  try {
    return await window.page.evaluate(code);
  } catch (error) {
    return `threw: ${error instanceof Error ? error.message : String(error)}`;
  }
}
