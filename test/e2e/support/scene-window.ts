/** The window's page on the mock of the rest of the station, in the real Electron: any state can be shown at once. */
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { LIMIT } from '../../support/limit.ts';
import { launch } from './electron.ts';
import { environment, StationWindow, theElectron } from './window.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const BARE_APP = fileURLToPath(new URL('./bare-app/', import.meta.url));
const NONCE = 'c2NlbmVz';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
};

export interface SceneWindow {
  readonly window: StationWindow;
  /** Loads the page in a state by its name in renderer/mock/scenes.ts, in English and light. */
  readonly load: (scene: string) => Promise<void>;
  /** The same without loading the page anew, which takes five times as long: the window is emptied first. */
  readonly open: (scene: string) => Promise<void>;
  readonly resize: (width: number, height: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openSceneWindow(story: string): Promise<SceneWindow> {
  const folder = join(ROOT, 'out', 'mock');
  await build({
    configFile: join(ROOT, 'renderer', 'mock', 'vite.config.ts'),
    root: join(ROOT, 'renderer', 'mock'),
    logLevel: 'warn',
    build: { outDir: folder, emptyOutDir: true, chunkSizeWarningLimit: 2000 },
  });
  const server = await serve(folder);
  const { port } = server.address() as AddressInfo;
  const { app } = await launch({
    executablePath: theElectron().path,
    // Chromium refuses to start as root with its sandbox on.
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), BARE_APP],
    env: environment(),
  });
  const page = await app.firstWindow({ timeout: LIMIT });
  const window = new StationWindow(app, page, story);
  const load = async (scene: string) => {
    await page.goto(`http://127.0.0.1:${port}/?scene=${scene}&lang=en&theme=light`);
    await page.locator('#root > *').first().waitFor();
  };
  return {
    window,
    load,
    open: async (scene) => {
      if (page.url() === 'about:blank') return load(scene);
      await page.evaluate(() => scenes.clear());
      // As in a page that nobody has touched: the pointer over nothing, and the keyboard the last that was used.
      await page.mouse.move(0, 0);
      await page.keyboard.press('Escape');
      await page.evaluate((name) => scenes.show(name), scene);
      await page.locator('#root > *').first().waitFor();
    },
    resize: async (width, height) => {
      await app.evaluate(
        ({ BrowserWindow }, size) =>
          BrowserWindow.getAllWindows()[0]?.setContentSize(size.width, size.height),
        { width, height },
      );
    },
    close: async () => {
      await window.close();
      server.close();
    },
  };
}

/** Loopback only, with the product's policy as far as it does not depend on its protocol. */
async function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://scenes').pathname;
    const file = join(folder, normalize(path === '/' ? '/index.html' : path));
    if (!file.startsWith(folder) || !existsSync(file)) {
      response.writeHead(path === '/favicon.ico' ? 204 : 404).end();
      return;
    }
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    if (extname(file) !== '.html') {
      // Its name changes with what is in it. Kept, it need not be fetched and compiled again for every state.
      response.writeHead(200, { 'content-type': type, 'cache-control': 'max-age=31536000, immutable' });
      createReadStream(file).pipe(response);
      return;
    }
    const policy = `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${NONCE}'; font-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'`;
    response.writeHead(200, { 'content-type': type, 'content-security-policy': policy });
    response.end(readFileSync(file, 'utf8').replaceAll('__CSP_NONCE__', NONCE));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
