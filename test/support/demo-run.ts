/** Runs `npm start -- …`'s program as a process of its own, as a person would, and reads what it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCardRecord } from '../../app/keyserver/records/card-record.ts';
import { OWN_RESOURCES, openCatalogue } from '../../app/keyserver/resources.ts';
import { openSqliteStore } from '../../app/keyserver/store/open.ts';
import type { CardRecord } from '../../app/protocol/card-record.ts';
import { type HeadlessResult, headlessResultSchema } from '../../app/station/headless/result.ts';
import { LIMIT } from './limit.ts';

const BUNDLE = fileURLToPath(new URL('../../app/demo/main.ts', import.meta.url));
/** What `npm start` runs; the other is a bundle of it, and starts faster. */
export const SOURCES = join(import.meta.dirname, '../../app/demo/main.ts');

export interface DemoRun {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  /** Resolves at the first line on standard error that fits. Rejects when the program ends before. */
  readonly told: (line: RegExp) => Promise<void>;
  readonly ended: Promise<{
    status: number | null;
    signal: NodeJS.Signals | null;
    stdout: string;
    stderr: string;
  }>;
}

export function startDemo(
  data: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  program = BUNDLE,
): DemoRun {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, KAIKA_DATA: data, LANG: 'en_US.UTF-8', LC_ALL: 'en_US.UTF-8', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
    for (const check of [...waiting]) check();
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT);
  const ended = new Promise<Awaited<DemoRun['ended']>>((resolve) => {
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stdout, stderr });
    });
  });
  const told = (line: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (!line.test(stderr)) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
      void ended.then(() => reject(new Error(`the program ended without saying ${line}:\n${stderr}`)));
    });
  return { child, stderr: () => stderr, told, ended };
}

/** Runs to the end; the result is the last line on standard output. */
export async function runDemo(
  data: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  program = BUNDLE,
): Promise<{ status: number | null; result: HeadlessResult; stderr: string }> {
  const run = startDemo(data, ['--headless', '--json', ...args], environment, program);
  const { status, stdout, stderr } = await run.ended;
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  try {
    return { status, result: headlessResultSchema.parse(JSON.parse(last)), stderr };
  } catch {
    throw new Error(`no result on the last line of standard output:\n${stdout}\n${stderr}`);
  }
}

/** What the demo's server has on record of a card. */
export async function demoRecord(data: string, card: string): Promise<CardRecord> {
  const store = await openSqliteStore(join(data, 'demo', 'server', 'kaika.sqlite'));
  try {
    return await readCardRecord({ store, catalogue: openCatalogue(OWN_RESOURCES) }, card);
  } finally {
    await store.destroy();
  }
}
