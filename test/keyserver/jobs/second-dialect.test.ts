/** A dialect of which the program knows nothing is issued end to end: what is new stands in test/support/second-dialect/. */
import { expect, it } from 'vitest';
import { startJob } from '../../../app/keyserver/jobs/start-job.ts';
import { readCardState } from '../../../app/keyserver/store/cards.ts';
import { lookAtCard, readOpening } from '../../../app/station/readers/look.ts';
import type { JobRequest, Wish } from '../../support/jobs.ts';
import { answerStep, batchOf, newRequestId, randomDigits, readCardRecord } from '../../support/jobs.ts';
import { activate, addCustodian, keyChange } from '../../support/key-versions.ts';
import { lanternRig } from '../../support/second-dialect/rig.ts';
import { CALLER, type CardDevice, carry, loseStation, TearingDevice } from '../../support/visits.ts';

const rig = lanternRig();

it('is enabled in the trips that its dialect plans, under one key of the issuer', async () => {
  const { card, identification } = rig.newCard();
  const account = randomDigits(16);
  const delivered = card.memory.key;
  const outcome = await issue(card, account);
  expect(outcome).toMatchObject({ result: 'complete', trips: 2, plannedTrips: 2 });
  expect(outcome.apps).toEqual([
    { app: 'lantern', before: 'installed', after: 'enabled', keyVersions: { door: 2 } },
  ]);
  expect(card.memory).toMatchObject({ enabled: true, tries: 5 });
  expect(card.memory.key.equals(delivered)).toBe(false);
  expect(await doorOf(identification)).toMatchObject({
    candidates: [{ origin: 'issuer', version: 2 }],
    spent: 0,
  });
  const record = await readCardRecord(rig.context, identification);
  expect(record).toMatchObject({ issued: true, account, jobs: [{ apps: outcome.apps }] });
  expect(record.apps.find(({ app }) => app === 'lantern')).toMatchObject({ keyVersions: { door: 2 } });
  expect((await request(card, account)).state).toBe('enabled');
});

it('is enabled together with apps of another dialect', async () => {
  const { card } = rig.newCard();
  const wishes: Wish[] = [{ app: 'e-wallet', action: 'enable' }, ...ENABLE];
  const outcome = await issue(card, randomDigits(16), wishes, 'e-wallet');
  expect(outcome).toMatchObject({ result: 'complete', trips: 6, plannedTrips: 6 });
  expect(card.memory.enabled).toBe(true);
});

it.each(['before', 'after'] as const)(
  'reaches the goal though power is lost at whatever command, %s the card acted',
  async (when) => {
    let at = 1;
    for (; ; at += 1) {
      const { card, identification } = rig.newCard();
      const { asked } = await request(card, randomDigits(16));
      const torn = new TearingDevice(card, { at, when, onTorn: () => card.powerOff() });
      const outcome = await carry(torn, rig.context, await startJob(rig.context, CALLER, asked));
      if (!torn.struck) break;
      expect(outcome.result, `torn at ${at}`).toBe('complete');
      expect(card.memory.enabled).toBe(true);
      expect(await doorOf(identification)).toMatchObject({ candidates: [{ origin: 'issuer' }], spent: 0 });
    }
    expect(at).toBe(6);
  },
);

it.each(['before', 'after'] as const)(
  'goes on in another job when the station is lost at whatever command, %s the card acted',
  async (when) => {
    let at = 1;
    for (; ; at += 1) {
      const { card, identification } = rig.newCard();
      const account = randomDigits(16);
      const { asked } = await request(card, account);
      const torn = new TearingDevice(card, { at, when, onTorn: () => card.powerOff() });
      if (!(await loseStation(torn, rig.context, asked))) break;
      expect((await issue(card, account)).result, `torn at ${at}`).toBe('complete');
      expect(card.memory).toMatchObject({ enabled: true, tries: 5 });
      expect(await doorOf(identification)).toMatchObject({ candidates: [{ origin: 'issuer' }] });
    }
    expect(at).toBe(6);
  },
);

it('stops at the first refusal in its own words, and spends no try that would lock the app', async () => {
  const { card, identification } = rig.newCard();
  const { asked } = await request(card, randomDigits(16));
  const reply = await startJob(rig.context, CALLER, asked);
  const next = await answerStep(rig.context, CALLER, reply.job, 1, {
    apiLevel: 1,
    cardEpoch: 0,
    answers: ['9F04'],
  });
  // What a station tells counts once the card has shown itself.
  expect(await carry(card, rig.context, { ...reply, batch: batchOf(next) })).toMatchObject({
    result: 'refused',
    error: 'card-refused-key',
  });
  expect(await doorOf(identification)).toMatchObject({
    candidates: [{ origin: 'factory' }],
    refused: true,
    spent: 1,
  });
});

it('is moved to another version of its key, which its role names among the masters', async () => {
  await addCustodian(rig);
  const { card, identification } = rig.newCard();
  const account = randomDigits(16);
  await issue(card, account);
  await activate(rig, 'app/lantern', 1);
  const before = card.memory.key;
  const outcome = await issue(card, account, [{ app: 'identity', action: 'enable' }], 'identity');
  expect(outcome).toMatchObject({ result: 'complete', trips: 6, plannedTrips: 6 });
  expect(await doorOf(identification)).toMatchObject({ candidates: [{ origin: 'issuer', version: 1 }] });
  expect(card.memory.key.equals(before)).toBe(false);
  expect(() => keyChange(rig, 'app/lantern/mck')).toThrow('has the keys door');
});

const ENABLE: Wish[] = [{ app: 'lantern', action: 'enable' }];

/** The station's own look and opening, with the catalogue that knows the dialect. */
async function request(card: CardDevice, account: string, wishes = ENABLE, first = 'lantern') {
  const { catalogue } = rig.context;
  const look = await lookAtCard(card, catalogue, () => performance.now());
  const app = catalogue.apps.find(({ id }) => id === first);
  const rule = catalogue.profiles.find(({ id }) => id === look.type)?.apps[first];
  const opening = app === undefined || rule === undefined ? undefined : await readOpening(card, app, rule);
  const asked: JobRequest = {
    apiLevel: 1,
    requestId: newRequestId(),
    reader: 'virtual',
    cardEpoch: 0,
    card: look.facts,
    observed: [...look.apps],
    account,
    wishes,
    ...(opening === undefined ? {} : { opening }),
  };
  return { asked, state: look.apps.find((one) => one.app === 'lantern')?.state };
}

async function issue(card: CardDevice, account: string, wishes = ENABLE, first = 'lantern') {
  const { asked } = await request(card, account, wishes, first);
  return carry(card, rig.context, await startJob(rig.context, CALLER, asked));
}

const doorOf = async (identification: string) =>
  (await readCardState(rig.context.store, identification)).apps['lantern']?.keys?.['door'];
