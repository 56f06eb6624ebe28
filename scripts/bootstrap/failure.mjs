// @ts-check
/** How set-up ends when it cannot go on: one sentence that says what happened and what to do next. */

/** Shown as it stands, without a stack; the process ends with `exitStatus`. */
export class Failure extends Error {
  /** @param {string} sentence @param {number} exitStatus */
  constructor(sentence, exitStatus = 1) {
    super(sentence);
    this.name = 'Failure';
    this.exitStatus = exitStatus;
  }
}

/** Ctrl-C, SIGTERM or SIGHUP while things were being set up. */
export class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`Stopped by ${signal}.`);
    this.name = 'Interrupted';
    this.signal = signal;
  }
}

/**
 * A way in which a tool fails.
 * @typedef {object} Fault
 * @property {string} cause a word for it
 * @property {RegExp} pattern what the tool then prints
 * @property {(lastWords: string) => string} sentence what happened, and what to do before the command is run again
 */

/**
 * Why a tool ended, from what it printed.
 * @param {readonly Fault[]} faults the first that fits counts
 * @param {string} output
 * @param {string} otherwise what happened, where none fits
 * @returns {{ cause: string, sentence: string }}
 */
export function explain(faults, output, otherwise) {
  const fault = faults.find(({ pattern }) => pattern.test(output));
  const words = lastWords(output);
  return fault
    ? { cause: fault.cause, sentence: fault.sentence(words) }
    : {
        cause: 'other',
        sentence: `${otherwise} (${words}): see scripts/.state/set-up.log, which has all that was said,`,
      };
}

/** The line of a tool's output that says most, shortened. @param {string} output */
export function lastWords(output) {
  const lines = output
    .split(/\r?\n/)
    .map((line) => line.replace(/^(npm (error|ERR!|(?=warn))( code)?|E:|gyp ERR!)\s*/, '').trim())
    .filter(
      (line) =>
        line !== '' && !/complete log|npm help|^not ok$|^\(node:|^command (failed|sh)|^warn /.test(line),
    );
  const exact = lines.find((line) => /\berror: /i.test(line));
  const telling = lines.filter((line) => /error|fail|cannot|unable|missing|not found/i.test(line));
  return (exact ?? telling.at(-1) ?? lines.at(-1) ?? 'it said nothing').replace(/^Error: /, '').slice(0, 200);
}

/**
 * An error of the file system, as a sentence; anything else is given back as it is.
 * @param {unknown} error
 * @param {string} doing
 */
export function explainFileError(error, doing) {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const at = 'path' in error ? ` at ${error.path}` : '';
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new Failure(`The disk is full${at} (${doing}): free some room and run the command again.`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new Failure(
        `No permission to write${at} (${doing}): run as the owner of this folder, or take a copy of your own.`,
      );
    default:
      return error;
  }
}
