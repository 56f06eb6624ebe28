/** `npm test` ends with the runner's own count, and never with a good exit status when nothing was tested. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Ended, FakeCopy } from './fake-copy.ts';

let copy: FakeCopy;
beforeEach(() => {
  copy = new FakeCopy();
  copy.write('node_modules/left/package.json', '{}');
  copy.write('node_modules/.package-lock.json', copy.read('package-lock.json'));
});
afterEach(() => copy.dispose());

/** Runs `test` with a runner that leaves this report and ends with this status. */
function withReport(report: object | undefined, status: number): Promise<Ended> {
  const write = report
    ? `const file = process.argv.find((word) => word.startsWith('--outputFile.json=')).split('=')[1];
       (await import('node:fs')).writeFileSync(file, ${JSON.stringify(JSON.stringify(report))});`
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

test('the last line is the count, and the same is left in a file', async () => {
  const { status, stdout } = await withReport(counts(12, 0, 2), 0);
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'runner says\n12 passed, 0 failed, 2 skipped\n' });
  expect(copy.read('test-results/summary.txt')).toBe('12 passed, 0 failed, 2 skipped\n');
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
