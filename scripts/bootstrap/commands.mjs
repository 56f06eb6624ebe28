/** The commands that npm's scripts call, and how each of them ends. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from './copy.mjs';
import { Failure, Interrupted } from './failure.mjs';
import { listen, statusOf } from './interruption.mjs';
import { lint } from './lint.mjs';
import { runProgram } from './program.mjs';
import { theRuntime } from './runtime.mjs';
import { say } from './say.mjs';
import { setUp } from './set-up.mjs';
import { test } from './test.mjs';

/** Runs a file of this copy with Node 24. */
const program = (file) => async (args) => {
  const path = join(paths.root, ...file.split('/'));
  if (!existsSync(path)) throw new Failure(`This copy of Kaika has no ${file}.`);
  return (await runProgram(theRuntime().node, [path, ...args], { cwd: paths.root })).status;
};

const module = (file, ...before) => {
  const run = program(`node_modules/${file}`);
  return (args) => run([...before, ...args]);
};

const COMMANDS = {
  start: { native: true, run: program('app/demo/main.ts') },
  server: { native: true, run: program('app/keyserver/main.ts') },
  card: { native: true, run: program('app/simulator/cli/main.ts') },
  test: { native: true, run: test },
  bench: { native: true, run: program('test/bench/main.ts') },
  lint: { native: false, run: lint },
  typecheck: { native: false, run: module('typescript/bin/tsc', '-p', '.') },
  format: { native: false, run: module('@biomejs/biome/bin/biome', 'format', '--write') },
};

/**
 * Sets up, runs, and leaves the exit status in process.exitCode: the program's own; 1 after a sentence on stderr;
 * 130 after Ctrl-C, 143 after SIGTERM.
 * @param {string[]} argv the command and its arguments
 */
export async function main([name = '', ...args]) {
  listen();
  try {
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!command) throw new Failure(`Say one of: ${Object.keys(COMMANDS).join(', ')}.`, 2);
    await setUp({ native: command.native });
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
