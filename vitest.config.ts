import { defineConfig } from 'vitest/config';
import { SIDE_BY_SIDE } from './test/e2e/support/screens.ts';
import { PATIENT, TEST_LIMIT } from './test/support/limit.ts';
import { bundlePrograms, fromBundles } from './test/support/programs.ts';
import { SlowestFirst } from './test/support/slowest-first.ts';

const NEVER = ['**/node_modules/**', 'out/**', 'dist/**'];

/** Files that count the memory or the calls of their process, change its environment, or have the system's PC/SC in it; and whole systems. */
const ALONE = [
  'test/conformance/**/*.test.ts',
  'test/demo/**/*.test.ts',
  'test/faults/**/*.test.ts',
  'test/keyserver/api/canary*.test.ts',
  'test/keyserver/attack/**/*.test.ts',
  'test/keyserver/vault/{pin,process,protection,token}.test.ts',
  'test/scripts/**/*.test.ts',
  'test/simulator/rig/**/*.test.ts',
  'test/station/readers/pcsc/**/*.test.ts',
];

await bundlePrograms();

export default defineConfig({
  plugins: [fromBundles()],
  test: {
    pool: 'forks',
    // What a file changed in its process is not there for the next.
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    // Two more than cores of a small machine: much of a test is waiting for a card, a process or a disk.
    maxWorkers: 4,
    sequence: { sequencer: SlowestFirst },
    testTimeout: TEST_LIMIT,
    hookTimeout: TEST_LIMIT,
    expect: { poll: PATIENT },
    projects: [
      {
        extends: true,
        test: {
          name: 'alone',
          include: ALONE,
          exclude: NEVER,
          globalSetup: ['test/support/global-setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', ...ALONE, ...NEVER],
          globalSetup: ['test/support/global-setup.ts'],
          // Half of the time of most files is the start of a process and the loading of what they test: one process does many of them.
          isolate: false,
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
