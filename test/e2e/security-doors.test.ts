/** What a page that was taken over, or anybody at the machine, tries to get out of the window or into it. */
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PATIENT } from '../support/limit.ts';
import { dataFolder, openStage, type StoryStage } from './support/stage.ts';
import { openWindow, type StationWindow } from './support/window.ts';

const data = dataFolder();
let stage: StoryStage;
let window: StationWindow;

beforeAll(async () => {
  stage = await openStage(data.folder);
  window = await openWindow({ story: 'doors', station: stage.station });
});
afterAll(async () => {
  await window.close();
  await stage.close();
  data.remove();
});

describe('nothing leaves through WebRTC', () => {
  let udp: Socket;
  let tcp: Server;
  let heard = 0;

  beforeAll(async () => {
    udp = createSocket('udp4', () => {
      heard += 1;
    });
    tcp = createServer((line) => {
      heard += 1;
      line.destroy();
    });
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    udp.close();
    tcp.close();
  });

  it.each([
    ['the page', 'window'],
    [
      'a frame in it',
      `(() => { const f = document.createElement('iframe'); document.body.append(f); return f.contentWindow; })()`,
    ],
  ])('of %s', async (_what, where) => {
    const tcpAddress = tcp.address();
    const tcpPort = typeof tcpAddress === 'object' ? tcpAddress?.port : 0;
    const said = await console(`(async () => {
      const { RTCPeerConnection: Peer } = ${where};
      if (Peer === undefined) return 'none';
      const servers = [
        { urls: 'stun:127.0.0.1:${udp.address().port}' },
        { urls: 'turn:127.0.0.1:${udp.address().port}', username: 'u', credential: 'c' },
        { urls: 'turn:127.0.0.1:${tcpPort}?transport=tcp', username: 'u', credential: 'c' },
      ];
      const line = new Peer({ iceServers: servers });
      const gathered = new Promise((done) => { line.onicegatheringstatechange = () => line.iceGatheringState === 'complete' && done('gathered'); });
      line.createDataChannel('out');
      await line.setLocalDescription(await line.createOffer());
      return Promise.race([gathered, new Promise((done) => setTimeout(() => done('waited'), 3000))]);
    })()`);
    expect(['none', 'gathered', 'waited']).toContain(said);
    expect(heard).toBe(0);
  });
});

describe('the page stays', () => {
  it.each([
    ['about:blank', `location.href = 'about:blank'`],
    ['about:blank with something behind it', `location.assign('about:blank#out')`],
    ['an empty frame’s parent', `open('about:blank', '_self')`],
    [
      'a link to it',
      `(() => { const a = document.createElement('a'); a.href = 'about:blank'; document.body.append(a); a.click(); })()`,
    ],
  ])('%s', async (_what, code) => {
    await console(`setTimeout(() => { ${code} }, 0), undefined`);
    await vi.waitFor(async () => {
      expect(window.page.url()).toBe('app://station/index.html');
      expect(await console(`window.kaika.shell.start({}).then((answer) => answer.ok)`)).toBe(true);
      expect(await console(`document.querySelector('h1') !== null`)).toBe(true);
    }, PATIENT);
  });
});

describe('the page is not held up', () => {
  it.each([
    ['print', `print()`],
    ['alert', `alert('x')`],
    ['confirm', `confirm('x')`],
    ['prompt', `prompt('x')`],
    [
      'print of a frame in it',
      `(() => { const f = document.createElement('iframe'); document.body.append(f); f.contentWindow.print(); f.remove(); })()`,
    ],
  ])('by %s', async (_what, code) => {
    const dialogs: string[] = [];
    // Playwright would answer a dialog box by itself.
    window.page.once('dialog', (dialog) => {
      dialogs.push(dialog.type());
      void dialog.dismiss();
    });
    await console(`setTimeout(() => { ${code} }, 0), undefined`);
    await vi.waitFor(async () => expect(await answered()).toBe(true), PATIENT);
    expect(dialogs).toEqual([]);
    expect(await window.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
    window.page.removeAllListeners('dialog');
  });

  /** Whether a task of the page's is done in time. */
  function answered(): Promise<unknown> {
    return Promise.race([
      console(`new Promise((done) => setTimeout(() => done(true), 50))`),
      new Promise((resolve) => setTimeout(() => resolve('held'), 5_000)),
    ]);
  }
});

it.runIf(process.platform !== 'win32')('SIGUSR1 opens an inspector in neither process', async () => {
  const engine = window.enginePid();
  expect(engine).toBeDefined();
  let said = '';
  window.app.process().stderr?.on('data', (text) => {
    said += String(text);
  });
  for (const pid of [engine ?? 0, window.pid]) process.kill(pid, 'SIGUSR1');
  // Both still answer, the engine through main; by then an inspector would have said where it listens.
  expect(await console(`window.kaika.server.check({}).then((answer) => answer.ok)`)).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(said).not.toContain('Debugger listening');
});

/** Runs text in the page, as somebody at its console would. What it throws comes back as text. */
async function console(code: string): Promise<unknown> {
  try {
    return await window.page.evaluate(code);
  } catch (error) {
    return `threw: ${error instanceof Error ? error.message : String(error)}`;
  }
}
