import { defineConfig } from 'vitest/config';
import { SIDE_BY_SIDE } from './test/e2e/support/screens.ts';
import { PATIENT, TEST_LIMIT } from './test/support/limit.ts';
import { SlowestFirst } from './test/support/slowest-first.ts';

const NEVER = ['**/node_modules/**', 'out/**', 'dist/**'];

export default defineConfig({
  test: {
    // Addons and child processes: a process of its own for each file, so that one's crash is nobody else's.
    pool: 'forks',
    // One more than cores of a small machine: much of a test is waiting for a card, a process or a disk.
    maxWorkers: 3,
    sequence: { sequencer: SlowestFirst },
    testTimeout: TEST_LIMIT,
    hookTimeout: TEST_LIMIT,
    expect: { poll: PATIENT },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', ...NEVER],
          globalSetup: ['test/support/global-setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'window',
          include: ['test/e2e/**/*.test.ts'],
          exclude: NEVER,
          globalSetup: ['test/e2e/support/global-setup.ts'],
          setupFiles: ['test/e2e/support/own-screen.ts'],
          // After everything else, so that windows have the machine to themselves.
          maxWorkers: SIDE_BY_SIDE,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
