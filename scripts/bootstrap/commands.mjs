// @ts-check
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

/** @typedef {(args: string[]) => Promise<number>} Run gives the exit status */

/**
 * Runs a file of this copy with Node 24.
 * @param {string} file
 * @param {string[]} before arguments before the person's
 */
const program =
  (file, ...before) =>
  /** @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
  async (args, env = {}) => {
    const path = join(paths.root, ...file.split('/'));
    if (!existsSync(path)) throw new Failure(`This copy of Kaika has no ${file}.`);
    // SIGUSR1 would open a debugger in a process that handles keys or cards.
    const command = ['--disable-sigusr1', path, ...before, ...args];
    return (await runProgram(theRuntime().node, command, { cwd: paths.root, env })).status;
  };

const demo = program('app/demo/main.ts');
const build = program('scripts/build/main.mjs');

/**
 * The demo's window: the shell is built where its sources have changed, and the program is told which Electron to take.
 * @type {Run}
 */
async function startWindow(args) {
  const electron = findElectron();
  if (electron === undefined) throw new Failure('Electron is gone again: run the command once more.');
  if (electron.kind === 'stand-in' && args.includes('--pcsc')) {
    throw new Failure(
      `The only Electron here is ${electron.version}, old and not from its makers: it is not let near real readers and real cards. Where the ` +
        'makers’ host can be reached the official one is fetched; or name one in KAIKA_ELECTRON. Without a window, ' +
        '"npm start -- --headless --pcsc" works.',
    );
  }
  const status = await build(['--if-changed']);
  if (status !== 0) return status;
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

/** What a person asks of the demo without wanting its window. @param {string[]} args */
const isWithoutWindow = (args) =>
  args.some((word) => ['--headless', '--help', '-h'].includes(word)) ||
  /(^| )--fault[ =]list( |$)/.test(args.join(' '));

/** @typedef {{ needs: import('./set-up.mjs').Needs, before?: () => void, run: Run }} Command */

/** @type {Readonly<Record<string, Command>>} */
const COMMANDS = {
  start: {
    needs: { native: true, window: 'person' },
    before: refuseWithoutDisplay,
    run: startWindow,
  },
  server: { needs: { native: true }, run: program('app/keyserver/main.ts') },
  card: { needs: { native: true }, run: program('app/simulator/cli/main.ts') },
  test: { needs: { native: true, window: 'test' }, run: test },
  bench: { needs: { native: true, window: 'test' }, run: program('test/bench/main.ts') },
  build: { needs: { native: false }, run: build },
  dist: { needs: { native: true, window: 'pack' }, run: program('scripts/dist/main.mjs') },
  lint: { needs: { native: false }, run: lint },
  typecheck: { needs: { native: false }, run: typecheck },
  format: {
    needs: { native: false },
    run: program('node_modules/@biomejs/biome/bin/biome', 'format', '--write'),
  },
};

/** @param {string} name @param {string[]} args @returns {Command} */
function commandOf(name, args) {
  if (name === 'start' && isWithoutWindow(args)) return { needs: { native: true }, run: demo };
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new Failure(`Say one of: ${Object.keys(COMMANDS).join(', ')}.`, 2);
  return command;
}

/**
 * Sets up, runs, and leaves the exit status in process.exitCode: the program's own; 1 after a sentence on stderr;
 * 130 after Ctrl-C, 143 after SIGTERM.
 * @param {string[]} argv the command and its arguments
 */
export async function main([name = '', ...args]) {
  listen();
  try {
    const command = commandOf(name, args);
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
      const what = error instanceof Error ? error.message : error;
      say(`Setting up ended unexpectedly (${what}): run the command again, or see ${paths.log}.`);
      process.exitCode = 1;
    }
  }
}
