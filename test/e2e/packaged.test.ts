/** The station as an installer would put it down: what is in it, what it can no longer be made to do, and a card issued with it. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { LIMIT } from '../support/limit.ts';
import { Routes } from './routes/index.ts';
import { environment, theElectron } from './support/electron.ts';
import { isAlive } from './support/processes.ts';
import { dataFolder, openStage, type StoryStage } from './support/stage.ts';
import { openWindow } from './support/window.ts';

const data = dataFolder();
let stage: StoryStage;

beforeAll(packAndOpen);
afterAll(closeAndRemove);

describe('what is in it', () => {
  const PARTS = [
    /^\/(?:main|preload|engine|engine-training)\.cjs$/,
    /^\/package\.json$/,
    /^\/renderer\/(?:index\.html|assets\/[\w.-]+\.(?:js|css|woff2))$/,
    /^\/resources\/(?:apps\.json|profiles\/[\w-]+\.json)$/,
    /^\/node_modules\/(?:koffi|@koromix\/koffi-[\w-]+|libsql|@libsql\/[\w-]+|@neon-rs\/load|detect-libc)\/.+$/,
  ];

  it('the window, the engine, two native packages, and nothing else', () => {
    const all = asar.listPackage(join(PACKED, 'resources', 'app.asar'), { isPack: false });
    const files = all.filter((one) => !all.some((other) => other.startsWith(`${one}/`)));
    expect(files.filter((file) => !PARTS.some((part) => part.test(file)))).toEqual([]);
    for (const part of ['/main.cjs', '/preload.cjs', '/engine.cjs', '/renderer/index.html'])
      expect(files).toContain(part);
    expect(files.some((file) => file.endsWith('.node'))).toBe(true);
    expect(existsSync(join(PACKED, 'resources', 'default_app.asar'))).toBe(false);
  });

  it('of the simulator the training part only, in a file of its own; nothing of key server, demo and tests', () => {
    const modules = z
      .record(z.string(), z.array(z.string()))
      .parse(JSON.parse(readFileSync(join(ROOT, 'out', 'modules.json'), 'utf8')));
    const ours = Object.entries(modules).flatMap(([file, list]) => list.map((module) => ({ file, module })));
    const in_ = (folder: RegExp) => ours.filter(({ module }) => folder.test(module));
    expect(
      in_(
        /^(?:app\/(?:keyserver|demo)|app\/globalplatform\/(?:commands|secure-channel|scp0)|test|scripts)\//,
      ),
    ).toEqual([]);
    // Of a dialect what reads an app without keys, and nothing that builds or understands a key command.
    expect(
      in_(/^app\/dialects\/(?!(?:counter|dialect|fate|key-slots|keys|read-rule|rule-fields)\.ts$)/)
        .map(({ module }) => module)
        .filter(
          (module) =>
            !/^app\/dialects\/[a-z-]+\/(?:counter|reading|rule|errors|guard|roles)\.ts$/.test(module),
        ),
    ).toEqual([]);
    expect(in_(/^renderer\/mock\//)).toEqual([]);
    const simulator = in_(/^app\/simulator\//);
    expect(new Set(simulator.map(({ file }) => file))).toEqual(new Set(['engine-training.cjs']));
    expect(simulator.filter(({ module }) => /rig\/|vpcd|factory/.test(module))).toEqual([]);
    expect(in_(/^node_modules\/(?:fastify|better-sqlite3|kysely|pkcs11js|graphene-pk11)\//)).toEqual([]);
  });
});

describe('what it can no longer be made to do', () => {
  it('has its fuses as they are listed', async () => {
    const wire = await fuses.getCurrentFuseWire(join(PACKED, 'kaika'));
    const on = (name: string) => wire[String(fuses.FuseV1Options[name])] === '1'.charCodeAt(0);
    expect(
      Object.fromEntries(
        Object.keys(fuses.FuseV1Options)
          .filter(
            (name) => Number.isNaN(Number(name)) && wire[String(fuses.FuseV1Options[name])] !== undefined,
          )
          .map((name) => [name, on(name)]),
      ),
    ).toMatchObject({
      RunAsNode: false,
      EnableCookieEncryption: false,
      EnableNodeOptionsEnvironmentVariable: false,
      EnableNodeCliInspectArguments: false,
      EnableEmbeddedAsarIntegrityValidation: true,
      OnlyLoadAppFromAsar: true,
      LoadBrowserProcessSpecificV8Snapshot: false,
    });
    expect(on('GrantFileProtocolExtraPrivileges')).toBe(false);
  });

  it.each([
    ['the DevTools protocol', ['--remote-debugging-port=0'], {}],
    ['it, as Chromium reads it too', ['-remote-debugging-port=0'], {}],
    ['it through a pipe', ['--remote-debugging-pipe'], {}],
    ['the inspector', ['--inspect=0'], {}],
    ['the inspector, by a variable', ['--remote-debugging-port=0'], { NODE_OPTIONS: '--inspect=0' }],
    ['an extension', ['--load-extension=/tmp'], {}],
    ['flags of the engine of JavaScript', ['--js-flags=--expose-gc'], {}],
    ['a proxy', ['--proxy-server=127.0.0.1:1'], {}],
    ['a plain Node', ['-e', 'console.log(1)'], { ELECTRON_RUN_AS_NODE: '1' }],
    ['Chromium’s log', [], { ELECTRON_ENABLE_LOGGING: '1' }],
  ])('does not start with %s', async (_what, args, env) => {
    const child = spawn(
      join(PACKED, 'kaika'),
      [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ...args, `--station=${stage.station}`],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...environment(), ...env } },
    );
    const pid = child.pid ?? 0;
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        said += String(text);
      });
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT);
    const status = await new Promise((resolve) => child.once('exit', resolve));
    clearTimeout(limit);
    expect(await waitForEnd([pid])).toEqual([]);
    expect(said).toContain('Kaika is not started with');
    expect(said).not.toMatch(/listening/);
    expect(status).toBe(64);
  });
});

/** Who is still there after the time that an orderly end may take; they are ended then. */
async function waitForEnd(family: readonly number[]): Promise<number[]> {
  const until = Date.now() + LIMIT;
  while (family.some(isAlive) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
  const left = family.filter(isAlive);
  for (const pid of left) process.kill(pid, 'SIGKILL');
  return left;
}

it('issues a card at its own window', async () => {
  // A copy that can be debugged, for Playwright: its fuse is turned, and its start does not know that it is packaged. Everything else is as it
  // was packed. That such a copy starts is what docs/security.md says of systems without a check of app.asar.
  const copy = join(copies, 'station');
  execFileSync('cp', ['-a', PACKED, copy]);
  await fuses.flipFuses(join(copy, 'kaika'), {
    version: fuses.FuseVersion.V1,
    [fuses.FuseV1Options['EnableNodeCliInspectArguments'] ?? 3]: true,
  });
  const app = join(copy, 'resources', 'app.asar');
  const packed = readFileSync(app);
  const at = packed.indexOf('app.isPackaged');
  expect(at).toBeGreaterThan(0);
  expect(packed.indexOf('app.isPackaged', at + 1)).toBe(-1);
  packed.write('app.isPackagef', at);
  writeFileSync(app, packed);
  await stage.changeCard();
  const window = await openWindow({
    story: 'packaged',
    station: stage.station,
    packaged: join(copy, 'kaika'),
  });
  try {
    expect(await window.app.evaluate(({ app }) => [app.isPackaged, app.getName()])).toEqual([true, 'Kaika']);
    const routes = new Routes(window, stage);
    await routes.entrance.signIn();
    await routes.choose.cardIsRead();
    await routes.choose.typeAccount();
    await routes.choose.tick('Campus meal');
    await routes.choose.review();
    await routes.plan.start();
    await routes.end.takesCard();
    await window.look('done-packaged');
  } finally {
    await window.close();
  }
  expect(window.complaints).toEqual([]);
});

it('is not made into installers with an Electron that may not be given away', () => {
  if (theElectron().kind !== 'stand-in') return;
  const run = () =>
    execFileSync(process.execPath, [join(ROOT, 'scripts', 'dist', 'main.mjs')], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  expect(run).toThrow(/old and not from its makers/);
});

async function packAndOpen(): Promise<void> {
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'dist', 'main.mjs'), '--dir'], {
    timeout: LIMIT,
    stdio: 'pipe',
  });
  stage = await openStage(data.folder);
}

async function closeAndRemove(): Promise<void> {
  await stage?.close();
  data.remove();
  rmSync(copies, { recursive: true, force: true });
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PACKED = join(ROOT, 'dist', 'linux-unpacked');
const require = createRequire(import.meta.url);
const asar: { listPackage(file: string, options: { isPack: boolean }): string[] } = require('@electron/asar');

const fuses: {
  FuseVersion: { V1: string };
  FuseV1Options: Record<string, number>;
  getCurrentFuseWire(file: string): Promise<Record<string, unknown>>;
  flipFuses(file: string, config: Record<string, unknown>): Promise<unknown>;
} = require('@electron/fuses');

const copies = mkdtempSync(join(tmpdir(), 'kaika-packed-'));
