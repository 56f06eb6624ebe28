// @ts-check
/**
 * `npm test`: vitest, and after it the ten slowest files, the whole time, and one line with vitest's own count, "N passed, N
 * failed", for people and machines.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fieldOf, paths, readJson } from './copy.mjs';
import { receivedSignal } from './interruption.mjs';
import { runProgram } from './program.mjs';
import { theRuntime } from './runtime.mjs';
import { say } from './say.mjs';

const results = join(paths.root, 'test-results');
const SHOWN = 10;

/** @param {unknown} value @returns {unknown[]} */
const listOf = (value) => (Array.isArray(value) ? value : []);

/**
 * Counts vitest's JSON report. A file that could not even be loaded has no tests in it and counts as one failed.
 * @param {unknown} report
 */
function count(report) {
  const broken = listOf(fieldOf(report, 'testResults')).filter(
    (file) => fieldOf(file, 'status') === 'failed' && listOf(fieldOf(file, 'assertionResults')).length === 0,
  );
  const number = (/** @type {string} */ name) => Number(fieldOf(report, name) ?? 0);
  return {
    passed: number('numPassedTests'),
    failed: number('numFailedTests') + broken.length,
    skipped: number('numPendingTests') + number('numTodoTests'),
  };
}

/** @param {number} milliseconds */
const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;

/** @param {unknown} times what test-times.mjs wrote @returns {string[]} lines, the slowest file first */
function slowest(times) {
  const files = listOf(times).map((one) => ({
    file: String(fieldOf(one, 'file')),
    milliseconds: Number(fieldOf(one, 'milliseconds')),
  }));
  const shown = files.sort((a, b) => b.milliseconds - a.milliseconds).slice(0, SHOWN);
  const lines = shown.map(({ file, milliseconds }) => `${seconds(milliseconds).padStart(9)}  ${file}`);
  return lines.length === 0 ? [] : [`The slowest of ${files.length} test files:`, ...lines];
}

/**
 * @param {string[]} args further arguments for vitest
 * @returns {Promise<number>} vitest's exit status; 1 also when no test ran
 */
export async function test(args) {
  mkdirSync(results, { recursive: true });
  // Names of their own: two runs at once must not read each other's count.
  const reportFile = join(results, `vitest-${process.pid}.json`);
  const timesFile = join(results, `times-${process.pid}.json`);
  const summaryFile = join(results, 'summary.txt');
  rmSync(summaryFile, { force: true });
  const reporters = ['default', 'json', fileURLToPath(new URL('./test-times.mjs', import.meta.url))];
  const options = [...reporters.map((name) => `--reporter=${name}`), `--outputFile.json=${reportFile}`];
  const started = performance.now();
  try {
    const { status } = await runProgram(
      theRuntime().node,
      [join(paths.modules, 'vitest', 'vitest.mjs'), 'run', ...options, ...args],
      // Servers and stations are started hundreds of times: compiled code is kept, which halves what a start costs.
      { cwd: paths.root, env: { KAIKA_TEST_TIMES: timesFile, NODE_COMPILE_CACHE: paths.codeCache } },
    );
    const report = readJson(reportFile);
    if (report === undefined) {
      if (!receivedSignal()) say('vitest left no report, so nothing can be said of the tests.');
      return status || 1;
    }
    const { passed, failed, skipped } = count(report);
    if (passed + failed === 0) say('No test ran.');
    const lines = [
      ...slowest(readJson(timesFile)),
      `Whole time: ${seconds(performance.now() - started)}`,
      `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
    ];
    const summary = `${lines.join('\n')}\n`;
    writeFileSync(summaryFile, summary);
    process.stdout.write(summary);
    return status || (passed + failed === 0 || failed > 0 ? 1 : 0);
  } finally {
    for (const file of [reportFile, timesFile]) rmSync(file, { force: true });
  }
}
