/**
 * Rogue stations with random requests, invented answers and goals of their own, beside honest ones: whatever they say, nobody else's card loses anything.
 * Another seed than the one below: KAIKA_ATTACK_SEED=… npm test -- test/keyserver/attack.
 */
import { expect, it } from 'vitest';
import { playRogueStation } from '../../support/attack/play-rogue-station.ts';
import { tokenRig } from '../../support/issuer-rig.ts';
import { TEST_LIMIT } from '../../support/limit.ts';

const rig = tokenRig('sqlite');
const SEED = process.env['KAIKA_ATTACK_SEED'] ?? 'a';

it(
  'no honest card loses a try, an app, an account or a job, and no record says what is not so',
  async () => {
    const damage = await playRogueStation(rig, { requests: 10_000, seed: SEED });
    // Each sentence names the seed and the request behind which it was found.
    expect(damage).toMatchObject({
      losses: [],
      triesLost: 0,
      appsLost: 0,
      accountsLost: 0,
      jobsLost: 0,
      recordsFalse: 0,
    });
    expect(damage.requests).toBeGreaterThanOrEqual(10_000);
    expect(damage.honestJobs).toBeGreaterThan(250);
  },
  3 * TEST_LIMIT,
);
