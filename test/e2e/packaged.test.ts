/** The station as an installer would put it down: what is in it, what it can no longer be made to do, and a card issued with it. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { randomDigits } from '../../app/demo/cards.ts';
import { LIMIT, PATIENT } from '../support/limit.ts';
import { Routes } from './routes/index.ts';
import { openDevTools } from './support/devtools.ts';
import { environment, theElectron } from './support/electron.ts';
import { childrenOf, isAlive } from './support/processes.ts';
import { dataFolder, openStage, type StoryStage } from './support/stage.ts';
import { openWindow } from './support/window.ts';

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

const data = dataFolder();
const copies = mkdtempSync(join(tmpdir(), 'kaika-packed-'));
let stage: StoryStage;

beforeAll(async () => {
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'dist', 'main.mjs'), '--dir'], {
    timeout: LIMIT,
    stdio: 'pipe',
  });
  stage = await openStage(data.folder);
});
afterAll(async () => {
  await stage?.close();
  data.remove();
  rmSync(copies, { recursive: true, force: true });
});

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
        .filter((module) => !/^app\/dialects\/[a-z-]+\/(?:counter|reading|rule|errors)\.ts$/.test(module)),
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

  it('is neither a Node nor to be debugged, whatever it is told; and issues a card', async () => {
    await stage.changeCard();
    const child = spawn(
      join(PACKED, 'kaika'),
      [
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        ...['--inspect=0', '--remote-debugging-port=0', `--station=${stage.station}`, '--language=en'],
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...environment(), ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '--inspect=0' },
      },
    );
    const pid = child.pid ?? 0;
    let said = '';
    let left: number[] = [];
    child.stderr.on('data', (text) => {
      said += String(text);
    });
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT);
    try {
      const devtools = await openDevTools(() => /DevTools listening on ws:\/\/[^:]+:(\d+)\//.exec(said)?.[1]);
      const ask = (name: string, input: unknown) =>
        devtools.evaluate(`window.kaika.${name}(${JSON.stringify(input)})`);
      await vi.waitFor(
        async () => expect(await devtools.evaluate('typeof window.kaika')).toBe('object'),
        PATIENT,
      );
      const stationSchema = z.object({
        value: z.object({
          station: z.object({
            readers: z.array(z.object({ name: z.string(), state: z.looseObject({ kind: z.string() }) })),
            jobs: z.array(z.object({ state: z.looseObject({ kind: z.string() }) })),
          }),
        }),
      });
      const station = async () => stationSchema.parse(await ask('shell.start', {})).value.station;
      expect(await vi.waitFor(() => ask('session.signIn', stage.people.clerk), PATIENT)).toMatchObject({
        ok: true,
      });
      const reader = await vi.waitFor(async () => {
        const found = (await station()).readers.find(({ state }) => state.kind === 'card');
        if (found === undefined) throw new Error('no card was read');
        return z
          .object({ name: z.string(), state: z.object({ card: z.object({ number: z.string() }) }) })
          .parse(found);
      }, PATIENT);
      const card = reader.state.card.number;
      const wishes = [{ app: 'e-wallet', action: 'enable' }];
      expect(
        await ask('job.start', { reader: reader.name, card, account: randomDigits(16), wishes }),
      ).toMatchObject({ ok: true });
      await vi.waitFor(async () => expect((await station()).jobs[0]?.state.kind).toBe('done'), PATIENT);
      expect(await devtools.evaluate('document.body.innerText')).toContain('Take the card');
      expect((await stage.record(card)).jobs.map((job) => job.result)).toEqual(['complete']);
      devtools.close();
      expect(said).not.toContain('Debugger listening');
    } finally {
      const family = isAlive(pid) ? [pid, ...childrenOf(pid)] : [];
      child.kill('SIGTERM');
      left = await waitForEnd(family);
      clearTimeout(limit);
    }
    expect(left).toEqual([]);
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
  // A copy that can be debugged, for Playwright; everything else is as it was packed.
  const copy = join(copies, 'station');
  execFileSync('cp', ['-a', PACKED, copy]);
  await fuses.flipFuses(join(copy, 'kaika'), {
    version: fuses.FuseVersion.V1,
    [fuses.FuseV1Options['EnableNodeCliInspectArguments'] ?? 3]: true,
  });
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
