/** Outcomes as older versions kept them are read, and nothing else that looks like one. */
import { describe, expect, it } from 'vitest';
import {
  storedJobReplySchema,
  storedOutcomeSchema,
  storedStepReplySchema,
} from '../../app/protocol/stored-outcome.ts';
import { stepReplySchema } from '../../app/protocol/wire.ts';

describe('an outcome of an older version', () => {
  it.each([
    [1, 2],
    [1, null],
    [null, null],
  ])('with mckVersion %s and mtkVersion %s has these as versions by role', (mck, mtk) => {
    expect(
      storedOutcomeSchema.parse(outcome({ ...app, mckVersion: mck, mtkVersion: mtk, error: 'app-locked' })),
    ).toEqual(outcome({ ...app, keyVersions: { mck, mtk }, error: 'app-locked' }));
  });

  it('is read inside a reply too, and only out of a store', () => {
    const older = outcome({ ...app, mckVersion: 1, mtkVersion: 2 });
    const newer = outcome({ ...app, keyVersions: { mck: 1, mtk: 2 } });
    const step = { apiLevel: 1, outcome: older, receipt: 'AAAA' };
    expect(storedStepReplySchema.parse(step)).toEqual({ ...step, outcome: newer });
    const job = { ...step, job: 'job-00000001', generation: 1, plan: PLAN };
    expect(storedJobReplySchema.parse(job)).toEqual({ ...job, outcome: newer });
    expect(stepReplySchema.safeParse(step).success).toBe(false);
  });
});

it('an outcome as it is written now stays as it is, whatever roles there are', () => {
  const now = outcome({ ...app, keyVersions: { door: 3 } });
  expect(storedOutcomeSchema.parse(now)).toEqual(now);
});

it.each([
  ['no version at all', {}],
  ['one of the two versions', { mckVersion: 1 }],
  ['both forms', { mckVersion: 1, mtkVersion: 1, keyVersions: { mck: 1, mtk: 1 } }],
  ['a version below 1', { mckVersion: 0, mtkVersion: 1 }],
  ['a version that is no number', { mckVersion: '1', mtkVersion: 1 }],
  ['another member', { mckVersion: 1, mtkVersion: 1, doorVersion: 1 }],
])('an outcome with %s is refused', (_what, versions) => {
  expect(storedOutcomeSchema.safeParse(outcome({ ...app, ...versions })).success).toBe(false);
});

const app = { app: 'e-wallet', before: 'installed', after: 'enabled' };

const PLAN = { steps: [], trips: 1, memory: { needed: 0, free: null } };

const outcome = (one: object) => ({
  result: 'complete',
  card: '1869006757576002',
  apps: [one],
  deleted: [],
  trips: 5,
  plannedTrips: 5,
});
