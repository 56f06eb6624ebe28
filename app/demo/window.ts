/** `npm start`: brings the demo up, opens the station's window on it, and takes everything down when that closes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Hands, isKey, KEYS, pullAtChange } from './hands.ts';
import type { Options } from './options.ts';
import { type Stage, type StageContext, setStage, stationFolder } from './stage.ts';

/** What `npm run build` makes. */
const APP = fileURLToPath(new URL('../../out/app/', import.meta.url));
/** The window's engine lets running commands end before it goes. */
const STOP_MS = 18_000;

/** @throws Error in a sentence for the person at the terminal */
export async function openWindow(context: StageContext): Promise<number> {
  const { options, cleanup, say } = context;
  const electron = findElectron();
  const stage = await setStage(context);
  const { child, ended } = startElectron(electron, stage.station, options);
  cleanup.add(() => stop(child, ended));
  say('');
  say(`  sign in as  ${stage.people.clerk.operator}`);
  say(`  password    ${stage.people.clerk.secret}`);
  say(
    `  a second person, where one is asked for: ${stage.people.supervisor.operator} ${stage.people.supervisor.secret}`,
  );
  say('');
  listenToKeys(context, stage, child);
  const status = await ended;
  if (status !== 0) throw new Error(whyItEnded(stage.station, status));
  return 0;
}

/** Shows the window of a demo that runs already. Whether there is one. */
export async function showRunningWindow(folder: string, options: Options): Promise<boolean> {
  const station = stationFolder(folder, options.fault);
  const { ended } = startElectron(findElectron(), station, options, ['--show-running']);
  return (await ended) === 0;
}

interface Electron {
  readonly path: string;
  readonly args: readonly string[];
}

/** The launcher finds it, and says so in the environment. @throws Error */
function findElectron(environment = process.env): Electron {
  const path = environment['KAIKA_ELECTRON'];
  if (path === undefined || path === '' || !existsSync(APP))
    throw new Error('The window is started with npm start.');
  const args = (environment['KAIKA_ELECTRON_ARGUMENTS'] ?? '').split(' ').filter((word) => word !== '');
  return { path, args };
}

function startElectron(electron: Electron, station: string, options: Options, more: readonly string[] = []) {
  mkdirSync(station, { recursive: true, mode: 0o700 });
  // Chromium talks a good deal on a machine without a desktop; none of it is for the person at the terminal.
  const log = openSync(chromiumLog(station), 'w', 0o600);
  const language = options.language === undefined ? [] : [`--language=${options.language}`];
  const { ELECTRON_RUN_AS_NODE: _node, NODE_OPTIONS: _options, ...env } = process.env;
  const child = spawn(electron.path, [...electron.args, APP, `--station=${station}`, ...language, ...more], {
    stdio: ['ignore', log, log],
    env,
  });
  closeSync(log);
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 1));
  });
  return { child, ended };
}

const chromiumLog = (station: string) => join(station, 'chromium.log');

async function stop(child: ChildProcess, ended: Promise<number>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}

/** The keys are lines, so that the terminal stays as it is however this ends. */
function listenToKeys({ options, cleanup, say }: StageContext, stage: Stage, child: ChildProcess): void {
  const hands = new Hands(stage, options.latency);
  const endFault = pullAtChange(options.fault, stage, hands);
  const lines = createInterface({ input: process.stdin });
  cleanup.add(async () => {
    endFault();
    lines.close();
  });
  if (!options.pcsc) {
    say('At this terminal, each followed by Enter:');
    for (const [key, what] of Object.entries(KEYS)) say(`  ${key}  ${what}`);
  }
  lines.on('line', (line) => {
    const key = line.trim();
    if (!isKey(key)) return;
    if (key === 'q') child.kill('SIGTERM');
    else if (!options.pcsc) {
      hands.do(key).then(
        (done) => say(`→ ${done}`),
        (error: unknown) => say(`! ${error instanceof Error ? error.message : String(error)}`),
      );
    }
  });
}

function whyItEnded(station: string, status: number): string {
  const log = readFileSync(chromiumLog(station), 'utf8');
  const library = /error while loading shared libraries: (\S+):/.exec(log)?.[1];
  if (library !== undefined) {
    return `Electron needs ${library}, which this system does not have: install the package it is in, and start again.`;
  }
  return `The window ended unexpectedly (status ${status}); ${chromiumLog(station)} says more.`;
}
