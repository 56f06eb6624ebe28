/** A rogue station with random requests and invented answers, beside honest ones: whatever it says, nobody else's card loses anything. */
import { expect, it } from 'vitest';
import { playRogueStation } from '../../support/attack/play-rogue-station.ts';
import { issuerRig } from '../../support/issuer-rig.ts';

const rig = issuerRig('sqlite');

it.each(['a', 'b'])(
  'no honest card loses a try, an app, an account or a job, and no record says what is not so (%s)',
  async (seed) => {
    const damage = await playRogueStation(rig, { requests: 300, seed });
    expect(damage).toMatchObject({
      losses: [],
      triesLost: 0,
      appsLost: 0,
      accountsLost: 0,
      jobsLost: 0,
      recordsFalse: 0,
    });
    expect(damage.honestJobs).toBeGreaterThan(20);
  },
);
