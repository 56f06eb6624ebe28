// @ts-check
/** Ctrl-C and its relatives, received once for the whole launcher; whoever runs a child is told. */
import { constants } from 'node:os';
import { Interrupted } from './failure.mjs';

/** Those that are listened for. */
const SIGNALS = /** @type {const} */ (['SIGHUP', 'SIGINT', 'SIGTERM']);
/** @typedef {(signal: NodeJS.Signals, again: boolean) => void} Listener */

/** The terminal and npm both pass the same Ctrl-C on; only a later one means "now". */
const SAME_KEYSTROKE_MS = 1000;

/** @type {NodeJS.Signals | undefined} */
let received;
let receivedAt = 0;
/** @type {Set<Listener>} */
const listeners = new Set();

/** Take the signals over, for the life of the process. */
export function listen() {
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const again = received !== undefined;
      if (again && Date.now() - receivedAt < SAME_KEYSTROKE_MS) return;
      received ??= signal;
      receivedAt = Date.now();
      for (const listener of [...listeners]) listener(signal, again);
    });
  }
}

/**
 * Be told of the first signal and of every later, impatient one (`again`). Returns how to stop.
 * @param {Listener} listener
 */
export function onInterruption(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** @throws {Interrupted} when a signal has come */
export function stopIfInterrupted() {
  if (received !== undefined) throw new Interrupted(received);
}

/** The signal that came first, if one did. */
export const receivedSignal = () => received;

/** The exit status the shells give a process that a signal ended. @param {NodeJS.Signals} signal */
export const statusOf = (signal) => 128 + constants.signals[signal];

/** Sleep that a signal cuts short. @param {number} milliseconds @returns {Promise<void>} */
export function pause(milliseconds) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    const stop = onInterruption(done);
  });
}
