/** The commands that npm's scripts call, and how each of them ends. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findElectron } from '../electron/find.mjs';
import { paths } from './copy.mjs';
import { refuseWithoutDisplay, sandboxArguments } from './display.mjs';
import { Failure, Interrupted } from './failure.mjs';
import { listen, statusOf } from './interruption.mjs';
import { lint, typecheck } from './lint.mjs';
import { runProgram } from './program.mjs';
import { theRuntime } from './runtime.mjs';
import { say } from './say.mjs';
import { setUp } from './set-up.mjs';
import { test } from './test.mjs';

/** Runs a file of this copy with Node 24. */
const program = (file) => async (args, env) => {
  const path = join(paths.root, ...file.split('/'));
  if (!existsSync(path)) throw new Failure(`This copy of Kaika has no ${file}.`);
  return (await runProgram(theRuntime().node, [path, ...args], { cwd: paths.root, env })).status;
};

const module = (file, ...before) => {
  const run = program(`node_modules/${file}`);
  return (args) => run([...before, ...args]);
};

const demo = program('app/demo/main.ts');
const build = program('scripts/build/main.mjs');

/** The demo's window: the shell is built where its sources have changed, and the program is told which Electron to take. */
async function startWindow(args) {
  const status = await build(['--if-changed']);
  if (status !== 0) return status;
  const electron = findElectron();
  if (electron.kind === 'stand-in') {
    say(
      `The window runs on Electron ${electron.version}, which is old and not from Electron's makers: for this demonstration ` +
        'only. Where their host can be reached the official one is fetched instead.',
    );
  }
  return demo(args, {
    KAIKA_ELECTRON: electron.path,
    KAIKA_ELECTRON_ARGUMENTS: sandboxArguments().join(' '),
  });
}

/** What a person asks of the demo without wanting its window. */
const isWithoutWindow = (args) =>
  args.some((word) => ['--headless', '--help', '-h'].includes(word)) ||
  /(^| )--fault[ =]list( |$)/.test(args.join(' '));

/** @typedef {{ needs: import('./set-up.mjs').Needs, before?: () => void, run: (args: string[]) => Promise<number> }} Command */

/** @returns {Command | undefined} */
function commandOf(name, args) {
  switch (name) {
    case 'start':
      return isWithoutWindow(args)
        ? { needs: { native: true }, run: demo }
        : { needs: { native: true, window: 'person' }, before: refuseWithoutDisplay, run: startWindow };
    case 'server':
      return { needs: { native: true }, run: program('app/keyserver/main.ts') };
    case 'card':
      return { needs: { native: true }, run: program('app/simulator/cli/main.ts') };
    case 'test':
      return { needs: { native: true, window: 'test' }, run: test };
    case 'bench':
      return { needs: { native: true, window: 'test' }, run: program('test/bench/main.ts') };
    case 'build':
      return { needs: { native: false }, run: build };
    case 'dist':
      return { needs: { native: true, window: 'pack' }, run: program('scripts/dist/main.mjs') };
    case 'lint':
      return { needs: { native: false }, run: lint };
    case 'typecheck':
      return { needs: { native: false }, run: typecheck };
    case 'format':
      return { needs: { native: false }, run: module('@biomejs/biome/bin/biome', 'format', '--write') };
    default:
      return undefined;
  }
}

const NAMES = ['start', 'server', 'card', 'test', 'bench', 'build', 'dist', 'lint', 'typecheck', 'format'];

/**
 * Sets up, runs, and leaves the exit status in process.exitCode: the program's own; 1 after a sentence on stderr;
 * 130 after Ctrl-C, 143 after SIGTERM.
 * @param {string[]} argv the command and its arguments
 */
export async function main([name = '', ...args]) {
  listen();
  try {
    const command = commandOf(name, args);
    if (!command) throw new Failure(`Say one of: ${NAMES.join(', ')}.`, 2);
    command.before?.();
    await setUp(command.needs);
    process.exitCode = await command.run(args);
  } catch (error) {
    if (error instanceof Interrupted) {
      say('Stopped before set-up was done; the next run goes on from there.');
      process.exitCode = statusOf(error.signal);
    } else if (error instanceof Failure) {
      say(error.message);
      process.exitCode = error.exitStatus;
    } else {
      say(
        `Setting up ended unexpectedly (${error?.message ?? error}): run the command again, or see ${paths.log}.`,
      );
      process.exitCode = 1;
    }
  }
}
