// @ts-check
/** Runs the program itself: the terminal is its own, and when it is stopped nothing of it stays behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Failure } from './failure.mjs';
import { onInterruption, receivedSignal, statusOf } from './interruption.mjs';
import { allGone, endTreeOnWindows, family, signalAll } from './processes.mjs';
import { say } from './say.mjs';

const LAST_GRACE_MS = 2_000;

/** How long a program may take to put its things in order; KAIKA_STOP_SECONDS changes it. */
function graceMs() {
  const seconds = Number(process.env.KAIKA_STOP_SECONDS ?? '');
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 10_000;
}

/**
 * The program gets a process group of its own: Ctrl-C then reaches its main process once, through us, and that ends
 * its children in its own order. What it leaves is ended after it.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, stdout?: 'inherit' | 'pipe', env?: NodeJS.ProcessEnv }} options `env`: beside our own
 * @returns {Promise<{ status: number, output: string }>} `status` as the shells count, 128 + signal; `output` what
 *   was written to a piped stdout
 */
export async function runProgram(command, args, { cwd, stdout = 'inherit', env = {} }) {
  const before = receivedSignal();
  if (before) return { status: statusOf(before), output: '' };
  const ownGroup = process.platform !== 'win32';
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['inherit', stdout, 'inherit'],
    detached: ownGroup,
  });
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });

  const { pid } = child;
  /** @type {import('./processes.mjs').Identity[]} */
  let known = [];
  /** @type {NodeJS.Timeout | undefined} */
  let killer;
  const killAll = () => {
    if (pid === undefined) return;
    if (!ownGroup) endTreeOnWindows(pid);
    else signalAll([...known, ...family(pid)], 'SIGKILL');
  };
  const stop = onInterruption((signal, again) => {
    if (pid === undefined) return;
    if (again) {
      killAll();
      return;
    }
    // Remembered now: children in groups of their own can no longer be found once their parent has gone.
    known = family(pid);
    // On Windows the console has already told it, and kill() would not ask but end.
    if (ownGroup || signal !== 'SIGINT') child.kill(signal);
    killer = setTimeout(() => {
      say('The program did not stop by itself and is ended now.');
      killAll();
    }, graceMs());
  });
  const resize = () => child.kill('SIGWINCH');
  if (ownGroup && process.stdout.isTTY) process.on('SIGWINCH', resize);

  try {
    /** @type {{ code: number | null, signal: NodeJS.Signals | null }} */
    const ended = await new Promise((resolve, reject) => {
      child.on('error', (error) => {
        reject(new Failure(`The program could not be started (${command}: ${error.message}).`, 1));
      });
      child.on('exit', (code, signal) => resolve({ code, signal }));
    });
    if (ownGroup && pid !== undefined) {
      const left = [...known, ...family(pid)];
      signalAll(left, 'SIGTERM');
      if (!(await allGone(left, LAST_GRACE_MS))) {
        signalAll(left, 'SIGKILL');
        await allGone(left, LAST_GRACE_MS);
      }
    }
    if (child.stdout && !child.stdout.readableEnded) await once(child.stdout, 'close');
    const signal = receivedSignal() ?? ended.signal;
    return { status: signal ? statusOf(signal) : (ended.code ?? 1), output };
  } finally {
    clearTimeout(killer);
    stop();
    process.off('SIGWINCH', resize);
  }
}
