/** Keys that are not what they should be: few tries, no lockout, a card set aside before it can be harmed. */
import { describe, expect, it } from 'vitest';
import type { Catalogue } from '../../../app/catalogue/schema.ts';
import { releaseSetAside } from '../../../app/keyserver/recovery/release.ts';
import { TearingDevice } from '../../../app/simulator/tear.ts';
import { VirtualCard } from '../../../app/simulator/virtual-card.ts';
import { ENABLE, OTHER_CALLER, runBatch } from '../../support/forwarder.ts';
import { refusal, withWrongKey } from '../../support/issuer-steps.ts';
import { issuerRig, type Outcome, randomDigits, type Wish, writeOperator } from '../../support/jobs.ts';
import { CALLER, meddled, PowerLost, slotOnCard, spoiled, triesLeft, WALLET } from '../../support/visits.ts';

const rig = issuerRig();

describe('the master control key on the card is another one', () => {
  it('one attempt, then never again, from whatever job and station', async () => {
    const made = rig.newCard();
    const card = poweredOn(withWrongKey(made.card, WALLET, 0x39));
    const account = randomDigits(16);
    for (const [at, caller] of [CALLER, OTHER_CALLER, CALLER].entries()) {
      const outcome = await rig.issue(card, account, ENABLE, at === 1 ? undefined : 'e-wallet', caller);
      expect(outcome).toMatchObject({
        result: 'refused',
        error: 'card-refused-key',
        apps: [{ app: 'e-wallet', before: 'installed', after: 'installed', error: 'card-refused-key' }],
      });
      expect(triesLeft(card)).toBe(2);
    }
    // Other apps of the card are not concerned.
    const both: Wish[] = [...ENABLE, { app: 'identity', action: 'enable' }];
    const outcome = await rig.issue(card, account, both);
    expect(outcome).toMatchObject({ result: 'partial', error: 'card-refused-key' });
    expect(outcome.apps.find((one) => one.app === 'identity')).toMatchObject({
      after: 'enabled',
      keyVersions: { mck: 1 },
    });
    expect(triesLeft(card)).toBe(2);
  });
});

describe('a release', () => {
  it('takes no refusal back of a key whose rule is not known any more', async () => {
    const made = rig.newCard();
    const card = poweredOn(withWrongKey(made.card, WALLET, 0x39));
    await rig.issue(card, randomDigits(16), ENABLE);
    const refused = async () =>
      (await rig.state(made.identification)).apps['e-wallet']?.keys?.['mck']?.refused;
    const profiles = rig.context.catalogue.profiles.map((profile) => ({ ...profile, apps: {} }));
    const unknown = letGo(made.identification, { ...rig.context.catalogue, profiles });
    expect((await refusal(unknown)).code).toBe('nothing-to-do');
    expect(await refused()).toBe(true);
    await letGo(made.identification);
    expect(await refused()).toBe(false);
  });
});

describe('EXTERNAL AUTHENTICATE torn again and again, on a card that spends a try each time', () => {
  it.each(['e-wallet', undefined])('never takes the last try (opening %s)', async (opening) => {
    const { card } = rig.newCard();
    const account = randomDigits(16);
    const tearing = meddled(card, EXTERNAL_AUTHENTICATE, async (command) => {
      await card.transmit(spoiled(command));
      card.powerOff();
      throw new PowerLost();
    });
    const errors: (string | undefined)[] = [];
    for (let visit = 0; visit < 4; visit += 1) {
      const outcome: Outcome = await rig.issue(tearing, account, ENABLE, opening);
      errors.push(outcome.error);
      expect(triesLeft(card)).toBeGreaterThanOrEqual(1);
      card.powerOn();
    }
    expect(errors).toEqual(Array.from({ length: 4 }, () => 'card-tries-low'));
  });
});

describe('the card refuses GET CHALLENGE', () => {
  it.each([1, 2, 3])('the %i. time: its app fails and may come again, the other app goes on', async (nth) => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const refusing = meddled(card, GET_CHALLENGE, (command, count) =>
      count === nth ? Buffer.from('6985', 'hex') : card.transmit(command),
    );
    const both: Wish[] = [...ENABLE, { app: 'identity', action: 'enable' }];
    expect(await rig.issue(refusing, account, both)).toMatchObject({
      result: 'partial',
      error: 'card-refused-command',
      apps: [
        { app: 'e-wallet', after: 'installed', error: 'card-refused-command' },
        { app: 'identity', after: 'enabled' },
      ],
    });
    const { jobs } = await rig.record(identification);
    const refused = jobs.flatMap(({ steps }) => steps).filter(({ sw }) => sw === '6985');
    expect(refused).toEqual([{ step: 'challenge', app: 'e-wallet', sw: '6985' }]);
    expect(triesLeft(card)).toBe(3);
    card.reset();
    expect(await rig.issue(card, account, ENABLE)).toMatchObject({ result: 'complete' });
  });
});

describe('the card refuses a MAC under the maintenance key', () => {
  it('once: the key is written again, and the app enabled', async () => {
    const { card, identification } = rig.newCard();
    const device = meddled(card, UPDATE_BINARY, (command, count) =>
      card.transmit(count === 1 ? spoiled(command) : command),
    );
    const outcome = await rig.issue(device, randomDigits(16), ENABLE, 'e-wallet');
    expect(outcome).toMatchObject({
      result: 'complete',
      apps: [{ after: 'enabled', keyVersions: { mtk: 1 } }],
    });
    const [job] = (await rig.record(identification)).jobs;
    const writes = job?.steps.filter((one) => one.step === 'write-maintenance-key').length;
    expect(writes).toBe(2);
    expect(fileOf(card)).toEqual({ locked: false, macFailures: 0 });
  });

  it.each(['9302', '6988'])('with %s too', async (sw) => {
    const { card } = rig.newCard();
    const device = meddled(card, UPDATE_BINARY, (command, count) =>
      count === 1 ? Buffer.from(sw, 'hex') : card.transmit(command),
    );
    expect(await rig.issue(device, randomDigits(16), ENABLE)).toMatchObject({ result: 'complete' });
  });

  it('twice: the card is set aside with a try left, and no job is taken for it any more', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const device = meddled(card, UPDATE_BINARY, (command) => card.transmit(spoiled(command)));
    const outcome = await rig.issue(device, account, ENABLE, 'e-wallet');
    expect(outcome).toMatchObject({ result: 'partial', error: 'card-set-aside' });
    expect(fileOf(card)).toEqual({ locked: false, macFailures: 2 });
    expect((await rig.record(identification)).setAside).toEqual({
      code: 'maintenance-key-refused',
      app: 'e-wallet',
    });
    const asked = await rig.request(card, account, ENABLE);
    expect((await refusal(rig.start(asked))).code).toBe('card-set-aside');
    // Released, it is given the key again and asked nothing, however often; the last try is two people's decision.
    await letGo(identification);
    const careful = await rig.issue(device, account, ENABLE, 'e-wallet');
    expect(careful).toMatchObject({ error: 'card-tries-low' });
    expect(fileOf(card)).toEqual({ locked: false, macFailures: 2 });
    expect((await refusal(letGo(identification))).code).toBe('nothing-to-do');
    await letGo(identification, rig.context.catalogue, 'deputy');
    expect(await rig.issue(card, account, ENABLE, 'e-wallet')).toMatchObject({ result: 'complete' });
    expect(fileOf(card)).toEqual({ locked: false, macFailures: 0 });
  });

  it('once a visit, each answer lost with its station: never the third time', async () => {
    const { card } = rig.newCard();
    const account = randomDigits(16);
    for (let visit = 0; visit < 4; visit += 1) {
      const device = meddled(card, UPDATE_BINARY, async (command) => {
        await card.transmit(spoiled(command));
        throw new PowerLost();
      });
      const started = await rig.start(await rig.request(card, account, ENABLE));
      let batch = started.batch;
      while (batch !== undefined) {
        const report = await runBatch(device, batch);
        if (report.cardEvent !== undefined) break;
        const next = await rig.answer(started.job, batch.seq, report);
        batch = 'batch' in next ? next.batch : undefined;
      }
      card.reset();
      expect(fileOf(card).locked).toBe(false);
    }
    expect(fileOf(card).macFailures).toBe(2);
  });
});

describe('a damaged key: 6283', () => {
  it.each([
    ['at the authentication', EXTERNAL_AUTHENTICATE, 'refused'],
    ['at a key write', WRITE_KEY, 'refused'],
    ['at the file', UPDATE_BINARY, 'partial'],
  ] as const)('%s sets the card aside', async (_name, ins, result) => {
    const { card, identification } = rig.newCard();
    const device = meddled(card, ins, () => Uint8Array.of(0x62, 0x83));
    const outcome = await rig.issue(device, randomDigits(16), ENABLE, 'e-wallet');
    expect(outcome).toMatchObject({ result, error: 'card-set-aside' });
    expect((await rig.record(identification)).setAside).not.toBeNull();
  });

  it.each([
    ['maintenance key', 1],
    ['master control key', 2],
  ])(
    'of a card whose WRITE KEY is not atomic, torn in the %s: set aside, never locked',
    async (_name, at) => {
      const { card, identification } = rig.newCard({ keyWriteAtomic: false });
      const torn = new TearingDevice(card, { at, ins: WRITE_KEY, when: 'during' });
      const outcome = await rig.issue(torn, randomDigits(16), ENABLE, 'e-wallet');
      expect(torn.struck).toBe(true);
      expect(outcome).toMatchObject({ result: 'partial', error: 'card-set-aside' });
      expect((await rig.record(identification)).setAside).not.toBeNull();
      expect(triesLeft(card)).toBeGreaterThanOrEqual(1);
      expect(fileOf(card).locked).toBe(false);
      expect(slotOnCard(card, WALLET, at === 1 ? 0x36 : 0x39).damaged).toBe(true);
    },
  );

  it('while other apps of the same job stay as they are', async () => {
    const { card } = rig.newCard();
    const device = meddled(card, UPDATE_BINARY, (command, count) =>
      count === 1 ? card.transmit(command) : Uint8Array.of(0x62, 0x83),
    );
    const wishes: Wish[] = [
      ...ENABLE,
      { app: 'identity', action: 'enable' },
      { app: 'transit', action: 'delete' },
    ];
    const outcome = await rig.issue(device, randomDigits(16), wishes);
    expect(outcome).toMatchObject({ result: 'partial', deleted: [] });
    expect(outcome.apps.map((one) => one.after)).toEqual(['enabled', 'installed', 'installed']);
  });
});

describe('another card in the reader', () => {
  it.each([
    ['says so', { cardEvent: 'replaced' }],
    ['names another epoch only', {}],
  ] as const)(
    'is never written to when the station %s: the job ends with other-card',
    async (_name, event) => {
      const [one, two] = [rig.newCard(), rig.newCard()];
      const asked = await rig.request(one.card, randomDigits(16), ENABLE, 'e-wallet');
      const reply = await rig.start(asked);
      const next = await rig.answer(reply.job, 1, {
        apiLevel: 1,
        cardEpoch: 1,
        answers: [],
        stoppedAt: 0,
        reached: false,
        ...event,
      });
      if (!('batch' in next)) throw new Error('no batch');
      const outcome = await rig.carry(two.card, { ...reply, batch: next.batch });
      expect(outcome).toMatchObject({ result: 'refused', error: 'other-card' });
      expect(triesLeft(two.card)).toBe(3);
    },
  );
});

const EXTERNAL_AUTHENTICATE = 0x82;
const GET_CHALLENGE = 0x84;
const WRITE_KEY = 0xd4;
const UPDATE_BINARY = 0xd6;

function poweredOn(image: VirtualCard['image']): VirtualCard {
  const card = new VirtualCard(image);
  card.powerOn();
  return card;
}

const fileOf = (card: VirtualCard) => {
  const applet = card.image.instances.find((one) => one.aid === WALLET)?.applet;
  if (applet?.kind !== 'fmcos') throw new Error('no wallet');
  return { locked: applet.locked, macFailures: applet.files[0]?.macFailures };
};

/** A supervisor releases the card, or two do. */
async function letGo(
  card: string,
  catalogue: Catalogue = rig.context.catalogue,
  second?: string,
): Promise<void> {
  const { store } = rig.context;
  for (const id of ['chief', 'deputy'])
    await writeOperator(store, { id, name: id, secret: `secret of ${id}` });
  const agrees = second === undefined ? {} : { second: { id: second, secret: `secret of ${second}` } };
  const release = { card, operator: 'chief', reason: 'looked at it', ...agrees };
  await releaseSetAside(store, catalogue, release, new Date(Date.now() + 120_000));
}
