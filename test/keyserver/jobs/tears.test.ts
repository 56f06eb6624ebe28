/** Power lost at every command of a whole job, before and after the card acted: one more insertion reaches the goal. */
import { describe, expect, it } from 'vitest';
import type { look } from '../../support/forwarder.ts';
import { issuerRig, type Outcome, randomDigits, type Wish } from '../../support/jobs.ts';
import { carryUntilTorn } from '../../support/lost-station.ts';
import { ENABLE, TearingDevice } from '../../support/visits.ts';

const rig = issuerRig();

describe('power lost once while enabling an installed app', () => {
  it.each(['before', 'after'] as const)('at every command, %s the card acted', async (when) => {
    let at = 1;
    for (; ; at += 1) {
      const { outcome, identification, card, struck } = await tornJob(ENABLE, at, when);
      if (!struck) break;
      await expectGoal(outcome, identification, card, ENABLE);
    }
    expect(at).toBeGreaterThan(6);
  });
});

describe('power lost once while enabling, loading and deleting', () => {
  it.each(['before', 'after'] as const)('at chosen commands, %s the card acted', async (when) => {
    const points = [
      ...Array.from({ length: 12 }, (_, i) => i + 1),
      40,
      80,
      ...Array.from({ length: 30 }, (_, i) => 88 + i),
    ];
    let strikes = 0;
    for (const at of points) {
      const { outcome, identification, card, struck } = await tornJob(STORY, at, when);
      if (!struck) break;
      strikes += 1;
      await expectGoal(outcome, identification, card, STORY);
    }
    expect(strikes).toBeGreaterThan(20);
  });
});

describe('the station is lost with its answers, and another one takes the card', () => {
  it.each(['before', 'after'] as const)(
    'finishes what the torn job began, %s the card acted',
    async (when) => {
      for (let at = 1; ; at += 1) {
        const { card, identification } = rig.newCard();
        const account = randomDigits(16);
        const torn = new TearingDevice(card, { at, when, onTorn: () => card.powerOff() });
        const reply = await rig.start(await rig.request(card, account, ENABLE, 'e-wallet'));
        await carryUntilTorn(torn, rig.context, reply);
        if (!torn.struck) break;
        card.powerOn();
        const outcome = await rig.issue(card, account, ENABLE, 'e-wallet');
        expect(outcome.result, `torn at ${at}`).toBe('complete');
        const record = await rig.record(identification);
        expect(record.apps.find((one) => one.app === 'e-wallet')).toMatchObject({
          state: 'enabled',
          inDoubt: false,
        });
        expect(record.jobs.map((job) => job.result)).toEqual(['superseded', 'complete']);
      }
    },
  );

  it.each([
    ['demo-scp03', 'before'],
    ['demo-scp03', 'after'],
    ['demo-scp02', 'before'],
    ['demo-scp02', 'after'],
  ] as const)(
    'loads again after a load torn at whatever command, and no memory is lost (%s, %s the card acted)',
    async (type, when) => {
      const wishes: Wish[] = [{ app: 'identity', action: 'enable' }];
      const newCard = () => rig.newCard({ type, installed: [] });
      const whole = newCard();
      await rig.issue(whole.card, randomDigits(16), wishes);
      const expected = (await rig.look(whole.card)).facts.resources;
      let at = 1;
      // SELECT, the card's number, SELECT, the channel in two, DELETE, INSTALL, 22 blocks, INSTALL, and what follows.
      for (; at <= 34; at += 1) {
        const { card } = newCard();
        const account = randomDigits(16);
        const torn = new TearingDevice(card, { at, when, onTorn: () => card.powerOff() });
        const asked = await rig.request(card, account, wishes);
        await carryUntilTorn(torn, rig.context, await rig.start(asked));
        expect(torn.struck).toBe(true);
        card.powerOn();
        expect((await rig.issue(card, account, wishes)).result, `torn at ${at}`).toBe('complete');
        expect((await rig.look(card)).facts.resources, `torn at ${at}`).toBe(expected);
      }
    },
  );

  it('loads again after a torn load of a larger package, and no memory is lost', async () => {
    const wishes: Wish[] = [{ app: 'campus-meal', action: 'enable' }];
    const whole = rig.newCard();
    await rig.issue(whole.card, randomDigits(16), wishes);
    const expected = (await rig.look(whole.card)).facts.resources;
    for (const at of [5, 6, 30, 90, 91, 92, 93]) {
      const { card } = rig.newCard();
      const account = randomDigits(16);
      const torn = new TearingDevice(card, { at, when: 'after', onTorn: () => card.powerOff() });
      await carryUntilTorn(torn, rig.context, await rig.start(await rig.request(card, account, wishes)));
      expect(torn.struck).toBe(true);
      card.powerOn();
      expect((await rig.issue(card, account, wishes)).result, `torn at ${at}`).toBe('complete');
      expect((await rig.look(card)).facts.resources).toBe(expected);
    }
  });
});

const STORY: Wish[] = [
  { app: 'e-wallet', action: 'enable' },
  { app: 'campus-meal', action: 'enable' },
  { app: 'transit', action: 'delete' },
];

/** Runs the wishes with one tear; gives undefined when the tear lies behind the job's last command. */
async function tornJob(wishes: Wish[], at: number, when: 'before' | 'after') {
  const { card, identification } = rig.newCard();
  const account = randomDigits(16);
  const opening = wishes.length === 1 ? 'e-wallet' : undefined;
  const asked = await rig.request(card, account, wishes, opening);
  const torn = new TearingDevice(card, { at, when, onTorn: () => card.powerOff() });
  const reply = await rig.start(asked);
  const outcome = await rig.carry(torn, reply);
  return { card, identification, outcome, struck: torn.struck, account };
}

async function expectGoal(
  outcome: Outcome,
  identification: string,
  card: Parameters<typeof look>[0],
  wishes: Wish[],
) {
  const { observed, facts } = await rig.look(card);
  const record = await rig.record(identification);
  for (const wish of wishes) {
    const seen = observed.find((one) => one.app === wish.app)?.state;
    const known = record.apps.find((one) => one.app === wish.app);
    expect(seen, `${wish.app} on the card`).toBe(wish.action === 'enable' ? 'enabled' : 'missing');
    expect(known?.state, `${wish.app} in the record`).toBe(seen);
    expect(known?.inDoubt).toBe(false);
  }
  expect(outcome.result).toBe('complete');
  expect(record.jobs).toHaveLength(1);
  return facts;
}
