// @ts-check
/** What the person sees while things are set up. Only ever on stderr: stdout belongs to the program. */

let progressShown = false;

function eraseProgress() {
  if (progressShown) process.stderr.write('\r\u001b[K');
  progressShown = false;
}

/** One sentence on a line of its own. @param {string} sentence */
export function say(sentence) {
  eraseProgress();
  process.stderr.write(`${sentence}\n`);
}

/**
 * A line with the seconds gone by, on a terminal only.
 * @param {string} label what is going on, as "Installing npm packages"
 * @returns {() => void} ends it and takes the line away
 */
export function progress(label) {
  if (!process.stderr.isTTY) return () => {};
  const started = Date.now();
  const timer = setInterval(() => {
    progressShown = true;
    process.stderr.write(`\r\u001b[K${label}… ${Math.round((Date.now() - started) / 1000)} s`);
  }, 1000);
  return () => {
    clearInterval(timer);
    eraseProgress();
  };
}

/** Bytes as a person reads them. @param {number} bytes */
export function inWords(bytes) {
  return bytes < 1e6
    ? `${Math.max(1, Math.round(bytes / 1e3))} kB`
    : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
