/** `npm test`: vitest, and after it one line with its own count, "N passed, N failed", for people and machines. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { paths, readJson } from './copy.mjs';
import { receivedSignal } from './interruption.mjs';
import { runProgram } from './program.mjs';
import { theRuntime } from './runtime.mjs';
import { say } from './say.mjs';

const results = join(paths.root, 'test-results');

/**
 * Counts vitest's JSON report. A file that could not even be loaded has no tests in it and counts as one failed.
 * @param {unknown} report undefined when there is none
 */
function count(report) {
  const files = Array.isArray(report?.testResults) ? report.testResults : [];
  const broken = files.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  return {
    passed: report?.numPassedTests ?? 0,
    failed: (report?.numFailedTests ?? 0) + broken.length,
    skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
  };
}

/**
 * @param {string[]} args further arguments for vitest
 * @returns {Promise<number>} vitest's exit status; 1 also when no test ran
 */
export async function test(args) {
  mkdirSync(results, { recursive: true });
  // A name of its own: two runs at once must not read each other's count.
  const reportFile = join(results, `vitest-${process.pid}.json`);
  const summaryFile = join(results, 'summary.txt');
  rmSync(summaryFile, { force: true });
  try {
    const { status } = await runProgram(
      theRuntime().node,
      [
        join(paths.modules, 'vitest', 'vitest.mjs'),
        ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`, ...args],
      ],
      { cwd: paths.root },
    );
    const report = readJson(reportFile);
    if (!report) {
      if (!receivedSignal()) say('vitest left no report, so nothing can be said of the tests.');
      return status || 1;
    }
    const { passed, failed, skipped } = count(report);
    const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    if (passed + failed === 0) say('No test ran.');
    writeFileSync(summaryFile, `${line}\n`);
    console.log(line);
    return status || (passed + failed === 0 || failed > 0 ? 1 : 0);
  } finally {
    rmSync(reportFile, { force: true });
  }
}
