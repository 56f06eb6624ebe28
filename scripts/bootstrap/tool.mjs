// @ts-check
/** Runs npm, apt and the like while setting up: their talk goes to the log, their interruption is ours to arrange. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { fieldOf } from './copy.mjs';
import { onInterruption, stopIfInterrupted } from './interruption.mjs';
import { endTreeOnWindows, family, signalAll } from './processes.mjs';
import { progress } from './say.mjs';

const KEPT = 64 * 1024;
/** npm itself does not stop for a SIGTERM while it unpacks; what it leaves is removed anyway. */
const GRACE_MS = 1_000;

/** The log of the last set-up. A log that cannot be written is no reason to stop. @param {string} path */
export function openLog(path) {
  /** @type {number | undefined} */
  let file;
  try {
    mkdirSync(dirname(path), { recursive: true });
    file = openSync(path, 'w');
  } catch {
    file = undefined;
  }
  return {
    path,
    /** @param {string | Buffer} chunk */
    write(chunk) {
      try {
        if (file !== undefined) writeSync(file, String(chunk));
      } catch {
        // A full disk: the sentence at the end says so.
      }
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/**
 * What every part of set-up is given.
 * @typedef {object} Context
 * @property {ReturnType<typeof openLog>} log
 * @property {import('./lock.mjs').Lock} lock told of each tool, for whoever comes after a kill
 */

/**
 * @typedef {object} ToolOptions
 * @property {string} name for people: "npm", "apt"
 * @property {string} [label] shown with the seconds on a terminal
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} [env]
 * @property {(pid: number) => void} [ask] Ctrl-C then asks it so, and waits for it; without, it and its children are ended
 * @property {RegExp} [alarm] words that mean failure whatever the exit status says: then `status` is not 0
 */

/**
 * Runs to the end, without a terminal and in a group of its own, so that Ctrl-C reaches it through us only.
 * @param {string} command
 * @param {string[]} args
 * @param {Context} context
 * @param {ToolOptions} options
 * @returns {Promise<{ status: number, output: string }>} `output` the last 64 kB of both streams; 127: not there
 * @throws {import('./failure.mjs').Interrupted} after the child has ended
 */
export async function runTool(command, args, { log, lock }, options) {
  const { name, label, cwd, env = process.env, ask, alarm } = options;
  stopIfInterrupted();
  log.write(`\n$ ${[command, ...args].join(' ')}\n`);
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  if (child.pid !== undefined) lock.note({ pid: child.pid, name, mayBeEnded: ask === undefined });
  const endProgress = label ? progress(label) : () => {};
  let output = '';
  let alarmed = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      log.write(chunk);
      output = (output + chunk).slice(-KEPT);
      alarmed ||= alarm?.test(output) ?? false;
    });
  }

  /** @type {NodeJS.Timeout | undefined} */
  let killer;
  const { pid } = child;
  const stop = onInterruption(() => {
    if (pid === undefined) return;
    if (ask) {
      ask(pid);
    } else if (process.platform === 'win32') {
      endTreeOnWindows(pid);
    } else {
      const all = family(pid);
      signalAll(all, 'SIGTERM');
      killer ??= setTimeout(() => signalAll([...all, ...family(pid)], 'SIGKILL'), GRACE_MS);
    }
  });
  try {
    /** @type {number} */
    const status = await new Promise((resolve) => {
      child.on('error', (error) => {
        output += `${error.message}\n`;
        resolve(fieldOf(error, 'code') === 'EACCES' ? 126 : 127);
      });
      child.on('close', (code) => resolve(alarmed ? code || 1 : (code ?? 128)));
    });
    log.write(`[exit status ${status}]\n`);
    stopIfInterrupted();
    return { status, output };
  } finally {
    clearTimeout(killer);
    stop();
    endProgress();
    lock.note(undefined);
  }
}
