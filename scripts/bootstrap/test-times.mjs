// @ts-check
/**
 * A reporter for vitest: how long each test file took, with what its imports and hooks took, into the file that
 * KAIKA_TEST_TIMES names. Vitest's own JSON report knows only the time from a file's first test to its last.
 */
import { writeFileSync } from 'node:fs';

/**
 * @typedef {{ file: string, milliseconds: number }} FileTime
 * @typedef {Omit<ReturnType<import('vitest/node').TestModule['diagnostic']>, 'heap' | 'importDurations' | 'concurrencyId' | 'workerId'>} Durations
 */

export default class {
  /** @type {FileTime[]} */
  times = [];

  /** @param {Pick<import('vitest/node').TestModule, 'relativeModuleId'> & { diagnostic(): Durations }} module */
  onTestModuleEnd(module) {
    const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } =
      module.diagnostic();
    const milliseconds =
      environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration;
    this.times.push({ file: module.relativeModuleId, milliseconds });
  }

  onTestRunEnd() {
    const into = process.env['KAIKA_TEST_TIMES'];
    if (into) writeFileSync(into, JSON.stringify(this.times));
  }
}
