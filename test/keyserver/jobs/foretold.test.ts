/** Cards whose challenges follow from their counter: a job that opens with a channel has its commands in the first reply. */
import { describe, expect, it } from 'vitest';
import { batchOf, type JobRequest, randomDigits, type Wish } from '../../support/jobs.ts';
import { domainOnCard, FACTORY_KEYS, otherTypes, type TypeSpec } from '../../support/other-type.ts';
import { type CardDevice, transmit } from '../../support/visits.ts';

const types = otherTypes(countingTypes());

describe.each(countingTypes().map(({ id }) => id))('a card that counts (%s)', (id) => {
  it('is authenticated in the first batch, and costs a trip less than one that does not tell its counter', async () => {
    const { card } = types.type(id).newCard();
    const reply = await started(card);
    const steps = batchOf(reply).commands.map((command) => command.label.step);
    expect(steps).toContain('authenticate-secure-channel');
    expect(steps.indexOf('open-secure-channel')).toBeLessThan(steps.indexOf('authenticate-secure-channel'));
    const outcome = await types.carry(card, reply);
    expect(outcome).toMatchObject({ result: 'complete', trips: reply.plan.trips });
    const silent = types.type(id).newCard().card;
    const plain = await started(silent, (asked) => delete asked.card.sequenceCounter);
    expect(plain.plan.trips).toBe(reply.plan.trips + 1);
    expect(await types.carry(silent, plain)).toMatchObject({
      result: 'complete',
      trips: plain.plan.trips,
    });
  });

  it('whose counter moved on since the look is loaded all the same: nothing is sent on an answer that differs', async () => {
    const { card, identification } = types.type(id).newCard();
    const reply = await started(card, (asked) => {
      // As if it had counted on: what is foretold is of another opening.
      asked.card.sequenceCounter = id === 'two' ? 'C1020041' : 'C103000041';
    });
    const { device, sent } = watched(card);
    const outcome = await types.carry(device, reply);
    expect(outcome).toMatchObject({ result: 'complete', trips: reply.plan.trips + 1 });
    expect(await enabled(card)).toBe(true);
    expect(domainOnCard(card).failedAuthentications).toBe(0);
    // The answer that differed opened the channel: the card was asked for no other before it.
    const openings = sent.filter((apdu) => apdu.startsWith('8050'));
    expect(sent.indexOf(openings[0] ?? '')).toBe(sent.findIndex((apdu) => apdu.startsWith('8482')) - 1);
    const { domain } = await types.state(identification);
    expect(domain?.spent).toBe(0);
  });

  it('with another key than its type is not tried', async () => {
    // The one that its protocol's cryptograms are made with.
    const wrong = id === 'two' ? { enc: FACTORY_KEYS.dek } : { mac: FACTORY_KEYS.dek };
    const { card } = types.type(id).newCard({ keys: { ...FACTORY_KEYS, ...wrong } });
    const { device, sent } = watched(card);
    const outcome = await types.carry(device, await started(card));
    expect(outcome).toMatchObject({ result: 'refused', error: 'card-has-other-keys' });
    expect(sent.filter((apdu) => /^8[04]8[24]/.test(apdu))).toEqual([]);
  });

  it('is not made up by a station that has no card: it is told half of the cryptogram only', async () => {
    const { card, identification } = types.type(id).newCard();
    const reply = await started(card);
    const batch = batchOf(reply);
    const answers = batch.commands.map(({ expect: wanted }) => `${wanted?.value ?? ''}9000`);
    const answered = await types.answer(reply.job, batch.seq, {
      apiLevel: 1,
      cardEpoch: batch.cardEpoch,
      answers,
    });
    expect(answered).toMatchObject({ outcome: { result: 'partial', error: 'card-answer-unproven' } });
    const { apps, domain } = await types.state(identification);
    if (id !== 'moved') expect(apps['campus-meal']).toMatchObject({ state: 'missing', inDoubt: true });
    expect(domain?.candidates.map((set) => set.data)).not.toContainEqual(expect.any(String));
    // The card, when it comes, is none the worse.
    const asked = await types.request(card, await accountOf(reply.job), LOAD);
    const outcome = await types.carry(card, await types.start(asked));
    expect(outcome).toMatchObject({ result: 'complete' });
  });

  it('of which the look was told other diversification data is issued with its own', async () => {
    const { card, identification } = types.type(id).newCard();
    const reply = await started(card, (asked) => {
      asked.card.diversificationData = `CF0A${'5A'.repeat(10)}`;
    });
    const outcome = await types.carry(card, reply);
    expect(outcome).toMatchObject({ result: 'complete', trips: reply.plan.trips + 1 });
    const { domain } = await types.state(identification);
    await transmit(card, '00A4040000');
    const shown = await transmit(card, '80CA00CF00');
    expect(domain?.candidates.map((set) => set.data)).toEqual([shown.slice(4, -4)]);
  });
});

async function accountOf(job: string): Promise<string> {
  const row = await types.context.store
    .selectFrom('jobs')
    .select('account')
    .where('id', '=', job)
    .executeTakeFirst();
  return row?.account ?? '';
}

describe('in a second job', () => {
  it('the counter of the keys that the card has now is foretold', async () => {
    const { card } = types.type('moved').newCard();
    const account = randomDigits(16);
    await types.issue(card, account, LOAD);
    expect(domainOnCard(card).versions).toEqual([0x20]);
    const outcome = await types.issue(card, account, [{ app: 'campus-meal', action: 'delete' }]);
    expect(outcome).toMatchObject({ result: 'complete', trips: 2, plannedTrips: 2 });
  });
});

function issuerKeys(kind: string) {
  return { keyVersion: '20', put: 'add', atIssuing: false, secured: false, diversification: { kind } };
}

const LOAD: Wish[] = [{ app: 'campus-meal', action: 'enable' }];

/** Commands that reach the card, in order. */
function watched(card: CardDevice): { device: CardDevice; sent: string[] } {
  const sent: string[] = [];
  const device: CardDevice = {
    atr: card.atr,
    powerOn: () => card.powerOn(),
    powerOff: () => card.powerOff(),
    reset: () => card.reset(),
    transmit: (command) => {
      sent.push(Buffer.from(command).toString('hex').toUpperCase());
      return card.transmit(command);
    },
  };
  return { device, sent };
}

async function started(card: CardDevice, change: (asked: JobRequest) => void = () => {}) {
  const asked = await types.request(card, randomDigits(16), LOAD);
  change(asked);
  return types.start(asked);
}

async function enabled(card: CardDevice): Promise<boolean> {
  const { observed } = await types.look(card);
  return observed.some((one) => one.app === 'campus-meal' && one.state === 'enabled');
}

function countingTypes(): readonly TypeSpec[] {
  const factory = { keyVersion: '01', diversification: { kind: 'none' } };
  return [
    { id: 'two', scp: '02', i: '55', atr: '7101', factoryKeys: factory, issuerKeys: issuerKeys('visa2') },
    { id: 'three', scp: '03', i: '10', atr: '7202', factoryKeys: factory, issuerKeys: issuerKeys('kdf3') },
    {
      id: 'three-s16',
      scp: '03',
      i: '71',
      atr: '7303',
      factoryKeys: factory,
      issuerKeys: issuerKeys('kdf3'),
    },
    {
      id: 'moved',
      scp: '03',
      i: '30',
      atr: '7404',
      securityLevel: '13',
      factoryKeys: factory,
      issuerKeys: { ...issuerKeys('kdf3'), atIssuing: true },
    },
  ];
}
