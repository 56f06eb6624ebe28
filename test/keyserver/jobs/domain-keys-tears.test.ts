/** Power lost at every command while a card gets the issuer's own domain keys: one more insertion reaches the goal. */
import { describe, expect, it } from 'vitest';
import { randomDigits, type Wish } from '../../support/jobs.ts';
import { carryUntilTorn } from '../../support/lost-station.ts';
import { MOVED, MOVING, MOVING_TYPES } from '../../support/moving-types.ts';
import { domainOnCard, otherTypes } from '../../support/other-type.ts';
import { TearingDevice, type VirtualCard } from '../../support/visits.ts';

const types = otherTypes(MOVING_TYPES);

describe.each(MOVING)('a card of a type that is moved (%s)', (id) => {
  it.each(['before', 'after'] as const)('goes on in the same job, %s the card acted', async (when) => {
    for (let at = 1; at <= OF_THE_MOVE; at += 1) {
      const { card, identification } = types.type(id).newCard();
      const asked = await types.request(card, randomDigits(16), WISHES);
      const torn = new TearingDevice(card, { at, when, onTorn: () => card.powerOff() });
      const outcome = await types.carry(torn, await types.start(asked));
      expect(torn.struck).toBe(true);
      expect(outcome.result, `torn at ${at}`).toBe('complete');
      await expectGoal(id, card, identification, at);
    }
  });

  it.each(['before', 'after'] as const)('is finished by another job, %s the card acted', async (when) => {
    for (let at = 1; at <= OF_THE_MOVE; at += 1) {
      const { card, identification } = types.type(id).newCard();
      const account = randomDigits(16);
      const torn = new TearingDevice(card, { at, when, onTorn: () => card.powerOff() });
      await carryUntilTorn(
        torn,
        types.context,
        await types.start(await types.request(card, account, WISHES)),
      );
      card.powerOn();
      const outcome = await types.issue(card, account, WISHES);
      expect(outcome.result, `torn at ${at}`).toBe('complete');
      await expectGoal(id, card, identification, at);
      const { jobs } = await types.record(identification);
      expect(jobs.map((job) => job.result)).toEqual(['superseded', 'complete']);
    }
  });
});

const WISHES: Wish[] = [{ app: 'e-wallet', action: 'enable' }];

/** Commands up to the first that is about the app alone: two channels, and what is left behind. */
const OF_THE_MOVE = 14;

async function expectGoal(
  id: (typeof MOVING)[number],
  card: VirtualCard,
  identification: string,
  at: number,
) {
  const what = `torn at ${at}`;
  expect(domainOnCard(card), what).toEqual({ ...MOVED[id], failedAuthentications: 0 });
  const { domain } = await types.state(identification);
  expect(domain, what).toMatchObject({
    candidates: [{ origin: 'issuer', keyVersion: MOVED[id].versions[0] }],
    spent: 0,
    leaving: null,
  });
  const { observed } = await types.look(card);
  expect(observed.find((one) => one.app === 'e-wallet')?.state, what).toBe('enabled');
}
