/** `npm test` ends with the runner's own count, and never with a good exit status when nothing was tested. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import TestTimes from '../../scripts/bootstrap/test-times.mjs';
import { type Ended, freshCopy } from './fake-copy.ts';

const copy = freshCopy((made) => made.install());

test('the last line is the count, and the same is left in a file', async () => {
  const { status, stdout } = await withReport(counts(12, 0, 2), 0);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^runner says\nWhole time: \d+\.\d s\n12 passed, 0 failed, 2 skipped\n$/);
  expect(`runner says\n${copy.read('test-results/summary.txt')}`).toBe(stdout);
});

test('before it stand the ten slowest files, the slowest first, and the whole time', async () => {
  const times = Array.from({ length: 12 }, (_, i) => ({ file: `${i}.test.ts`, milliseconds: i * 1000 }));
  const { stdout } = await withReport(counts(12, 0), 0, times);
  const lines = stdout.trim().split('\n');
  expect(lines.slice(1, 4)).toEqual([
    'The slowest of 12 test files:',
    '   11.0 s  11.test.ts',
    '   10.0 s  10.test.ts',
  ]);
  expect(lines).toHaveLength(14);
  expect(lines.at(-2)).toMatch(/^Whole time: /);
});

test('how long a file took is asked of vitest itself, imports and hooks included', async () => {
  const into = join(copy.beside('times'), 'times.json');
  process.env['KAIKA_TEST_TIMES'] = into;
  const reporter = new TestTimes();
  const durations = {
    environmentSetupDuration: 1,
    prepareDuration: 20,
    collectDuration: 300,
    setupDuration: 4000,
    duration: 50_000,
  };
  reporter.onTestModuleEnd({ relativeModuleId: 'test/a.test.ts', diagnostic: () => durations });
  reporter.onTestRunEnd();
  expect(JSON.parse(readFileSync(into, 'utf8'))).toEqual([{ file: 'test/a.test.ts', milliseconds: 54_321 }]);
});

test('failures keep the exit status of the runner', async () => {
  const { status, stdout } = await withReport(counts(12, 3), 1);
  expect(status).toBe(1);
  expect(stdout).toMatch(/\n12 passed, 3 failed\n$/);
});

test('a file that could not be loaded counts as failed', async () => {
  const report = { ...counts(1, 0), testResults: [{ status: 'failed', assertionResults: [] }] };
  const { status, stdout } = await withReport(report, 0);
  expect(status).toBe(1);
  expect(stdout).toMatch(/\n1 passed, 1 failed\n$/);
});

test('no test at all is a failure', async () => {
  const { status, stdout } = await withReport(counts(0, 0, 4), 0);
  expect(status).toBe(1);
  expect(stdout).toMatch(/\n0 passed, 0 failed, 4 skipped\n$/);
});

test('a runner that died leaves no count, also not that of the run before', async () => {
  await withReport(counts(12, 0), 0);
  const { status, stdout } = await withReport(undefined, 0);
  expect(status).toBe(1);
  expect(stdout).toBe('runner says\n');
  expect(copy.has('test-results/summary.txt')).toBe(false);
});

/** Runs `test` with a runner that leaves this report and ends with this status. */
function withReport(report: object | undefined, status: number, times?: readonly object[]): Promise<Ended> {
  const text = (value: unknown) => JSON.stringify(JSON.stringify(value));
  const write = report
    ? `const file = process.argv.find((word) => word.startsWith('--outputFile.json=')).split('=')[1];
       const { writeFileSync } = await import('node:fs');
       writeFileSync(file, ${text(report)});
       ${times ? `writeFileSync(process.env.KAIKA_TEST_TIMES, ${text(times)});` : ''}`
    : '';
  copy.write(
    'node_modules/vitest/vitest.mjs',
    `${write} console.log('runner says'); process.exit(${status});`,
  );
  return copy.run(['test', 'test/card']);
}

const counts = (passed: number, failed: number, pending = 0): object => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: pending,
  numTodoTests: 0,
  testResults: [],
});
