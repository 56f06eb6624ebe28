/** What was planned is what happens: for every combination of wishes, in trips, in steps and on the card. */
import { describe, expect, it } from 'vitest';
import { issuerRig, randomDigits, type Wish } from '../../support/jobs.ts';

const rig = issuerRig();

describe('predicted equals real', () => {
  it('for all 80 combinations of wishes', async () => {
    for (const [at, wishes] of combinations().entries())
      await expectAsPlanned(wishes, at % 2 === 0, 'demo-scp03', at % 3 !== 0);
  });

  it('on the other card type too', async () => {
    for (const [at, wishes] of combinations().entries()) {
      if (at % 9 === 4) await expectAsPlanned(wishes, true, 'demo-scp02', at % 2 === 0);
    }
  });
});

const APPS = ['e-wallet', 'identity', 'campus-meal', 'transit'] as const;

const CHOICES = [undefined, 'enable', 'delete'] as const;

/** All 80 combinations of enabling, deleting and leaving alone the four apps. */
function combinations(): Wish[][] {
  const all: Wish[][] = [];
  for (let code = 1; code < CHOICES.length ** APPS.length; code += 1) {
    all.push(
      APPS.flatMap((app, place) => {
        const action = CHOICES[Math.floor(code / CHOICES.length ** place) % CHOICES.length];
        return action === undefined ? [] : [{ app, action }];
      }),
    );
  }
  return all;
}

/** `counts`: whether the card tells its sequence counter, so that the opening of a channel is foretold. */
async function expectAsPlanned(
  wishes: Wish[],
  withOpening: boolean,
  type: 'demo-scp03' | 'demo-scp02',
  counts: boolean,
) {
  const what = `${type}: ${wishes.map((wish) => `${wish.action} ${wish.app}`).join(', ')}`;
  const { card, identification } = rig.newCard({ type });
  const before = (await rig.look(card)).observed;
  const enables = wishes.filter((wish) => wish.action === 'enable');
  const loads = enables.some((wish) => wish.app === 'campus-meal');
  const opening = withOpening && !loads ? enables[0]?.app : undefined;
  const asked = await rig.request(card, randomDigits(16), wishes, opening);
  if (!counts) delete asked.card.sequenceCounter;
  const reply = await rig.start(asked);
  const outcome = await rig.carry(card, reply);
  expect(outcome, what).toMatchObject({
    result: 'complete',
    trips: reply.plan.trips,
    plannedTrips: reply.plan.trips,
  });
  // The formula of the design, for cards fresh from the factory.
  const gone = wishes.filter((wish) => wish.action === 'delete' && wish.app !== 'campus-meal');
  const channels = (loads ? 1 : 0) + (gone.length > 0 ? 1 : 0);
  const opensWithChannel = loads || (enables.length === 0 && gone.length > 0);
  const unopened = enables.length > 0 && !loads && opening === undefined;
  expect(outcome.trips, what).toBe(
    4 * enables.length + 1 + channels + (opensWithChannel && !counts ? 1 : 0) + (unopened ? 1 : 0),
  );
  expect([...outcome.deleted].sort(), what).toEqual(gone.map((wish) => wish.app).sort());
  const { observed } = await rig.look(card);
  const record = await rig.record(identification);
  for (const { app, state } of observed) {
    const action = wishes.find((wish) => wish.app === app)?.action;
    const left = before.find((one) => one.app === app)?.state;
    expect(state, `${app} after ${what}`).toBe(
      action === undefined ? left : action === 'enable' ? 'enabled' : 'missing',
    );
    expect(record.apps.find((one) => one.app === app)?.state ?? 'missing', `${app} in the record`).toBe(
      state,
    );
  }
}
