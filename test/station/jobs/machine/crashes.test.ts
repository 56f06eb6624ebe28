/** A job under random events, with the program killed between any two effects (design §3): what holds whatever happens. */
import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Journal, openJournal, temporaryFolder } from '../../../support/stations.ts';
import { ACTIONS, JobWorld } from './job-world.ts';

let folder: string;
let journal: Journal;
beforeAll(open);
afterAll(close);

it('never runs a batch twice, never loses an answer, keeps to its epochs, and comes to one end', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60, size: 'max' }), (actions) => {
      const world = new JobWorld(journal);
      for (const next of actions) {
        if (typeof next === 'number') world.crashAfter(next);
        else world.act(next);
        world.check();
      }
      world.finish();
    }),
    { numRuns: 80 },
  );
}, 120_000);

it('comes to its end undisturbed in one request and one for each batch', () => {
  const world = new JobWorld(journal);
  world.finish();
  expect(world.requests).toBe(4);
});

function open(): void {
  folder = temporaryFolder();
  journal = openJournal(folder, { reserve: { reserveBytes: 1024, freeBytes: 1 } });
}

function close(): void {
  journal.close();
  rmSync(folder, { recursive: true, force: true });
}

const action = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...ACTIONS) },
  // What goes well, so that a job gets far before something goes wrong.
  { weight: 4, arbitrary: fc.constantFrom('reply', 'command', 'insert', 'pause') },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 6 }) },
);
