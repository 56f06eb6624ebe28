/** Cards moved from the factory's domain keys to the issuer's own, as the first step of their first job. */
import { describe, expect, it } from 'vitest';
import { type JobReply, randomDigits, type Wish } from '../../support/jobs.ts';
import { MOVED, MOVING, MOVING_TYPES } from '../../support/moving-types.ts';
import { domainOnCard, FACTORY_KEYS, keysOnCard, otherTypes } from '../../support/other-type.ts';
import { type CardDevice, ENABLE, meddled, runBatch } from '../../support/visits.ts';

const types = otherTypes(MOVING_TYPES);

describe.each(MOVING)('a card of a type that is moved (%s)', (id) => {
  // One trip less where the card's first challenge is foretold.
  const opening = id === 'vanishing' ? 0 : 1;

  it('has the issuer’s keys alone, in as many trips as planned, and its apps as wished', async () => {
    const { card, identification } = types.type(id).newCard();
    const before = keysOnCard(card, domainOnCard(card).versions[0] ?? 0);
    const asked = await types.request(card, randomDigits(16), ENABLE);
    const reply = await types.start(asked);
    expect(reply.plan).toMatchObject({ trips: 7 + opening, steps: [{ kind: 'enable', app: 'e-wallet' }] });
    expect(await types.carry(card, reply)).toMatchObject({
      result: 'complete',
      trips: 7 + opening,
      plannedTrips: 7 + opening,
    });
    expect(domainOnCard(card)).toEqual({ ...MOVED[id], failedAuthentications: 0 });
    const [version = 0] = MOVED[id].versions;
    expect(keysOnCard(card, version)).not.toBe(before);
    expect(new Set(keysOnCard(card, version).split(' ')).size).toBe(3);
    expect(await domainOnRecord(identification)).toMatchObject({
      candidates: [{ origin: 'issuer', version: 1, keyVersion: version }],
      spent: 0,
      leaving: null,
    });
  });

  it('is loaded and deleted under the new keys, and not moved again', async () => {
    const { card } = types.type(id).newCard();
    const account = randomDigits(16);
    const trips = async (wishes: Wish[]) => {
      const outcome = await types.issue(card, account, wishes);
      expect(outcome).toMatchObject({ result: 'complete', trips: outcome.plannedTrips });
      return outcome.trips;
    };
    expect(await trips(LOAD)).toBe(8 + opening);
    expect(await trips([{ app: 'campus-meal', action: 'delete' }])).toBe(2 + opening);
    expect(await trips(LOAD)).toBe(6 + opening);
    expect(domainOnCard(card)).toEqual({ ...MOVED[id], failedAuthentications: 0 });
  });

  it('is moved although nothing else is to be done', async () => {
    const { card } = types.type(id).newCard();
    const outcome = await types.issue(card, randomDigits(16), [{ app: 'campus-meal', action: 'delete' }]);
    expect(outcome).toMatchObject({ result: 'complete', trips: 3 + opening, plannedTrips: 3 + opening });
    expect(domainOnCard(card)).toMatchObject(MOVED[id]);
  });
});

describe('a card that is not moved', () => {
  it('keeps the factory’s keys where the profile does not ask for it', async () => {
    const { card } = types.type('unmoved').newCard();
    expect(await types.issue(card, randomDigits(16), LOAD)).toMatchObject({
      result: 'complete',
      trips: 6,
    });
    expect(domainOnCard(card).versions).toEqual([0x01]);
  });

  it.each(MOVING)('has other keys than its type (%s): nothing is tried, nothing changed', async (id) => {
    const keys = { ...FACTORY_KEYS, mac: FACTORY_KEYS.enc, enc: FACTORY_KEYS.mac };
    const { card, identification } = types.type(id).newCard({ keys });
    const before = JSON.stringify(card.image.domain);
    const sent: string[] = [];
    const outcome = await types.issue(watched(card, sent), randomDigits(16), ENABLE);
    expect(outcome).toMatchObject({ result: 'refused', error: 'card-has-other-keys' });
    expect(sent.filter((apdu) => apdu.startsWith('8482') || apdu.startsWith('84D8'))).toEqual([]);
    expect(JSON.stringify({ ...card.image.domain, keySets: [] })).toBe(
      JSON.stringify({ ...JSON.parse(before), keySets: [] }),
    );
    // Where an opening was foretold, what was meant to follow it is taken back.
    const domain = await domainOnRecord(identification);
    if (id === 'vanishing')
      expect(domain).toMatchObject({
        candidates: [{ origin: 'factory', data: null }],
        spent: 0,
        leaving: null,
      });
    else expect(domain).toBeUndefined();
  });
});

describe('a card that answers INITIALIZE UPDATE otherwise than its type', () => {
  it.each(
    [...MOVING, 'unmoved'].flatMap(
      (id) =>
        [
          [id, 'with another protocol', 11, 0x01],
          [id, 'with the other protocol', 11, id === 'vanishing' || id === 'added' ? 0x02 : 0x03],
          [id, 'under another key version', 10, 0x55],
        ] as const,
    ),
  )('%s, %s: another card type, nothing was tried', async (id, _what, at, value) => {
    const { card } = types.type(id).newCard();
    const before = JSON.stringify(card.image);
    const sent: string[] = [];
    const otherwise = meddled(card, 0x50, async (command) => {
      const answer = Uint8Array.from(await card.transmit(command));
      answer[at] = value;
      return answer;
    });
    const wishes = id === 'unmoved' ? LOAD : ENABLE;
    const outcome = await types.issue(watched(otherwise, sent), randomDigits(16), wishes);
    expect(outcome).toMatchObject({ result: 'refused', error: 'wrong-card-type' });
    expect(sent.filter((apdu) => /^8[04]8[24]/.test(apdu))).toEqual([]);
    expect(withoutCounters(JSON.stringify(card.image))).toBe(withoutCounters(before));
  });

  it('a moved card that has its keys under another version has other keys than the record', async () => {
    const { card } = types.type('replaced').newCard();
    const account = randomDigits(16);
    expect(await types.issue(card, account, ENABLE)).toMatchObject({ result: 'complete' });
    const otherwise = meddled(card, 0x50, async (command) => {
      const answer = Uint8Array.from(await card.transmit(command));
      answer[10] = 0x55;
      return answer;
    });
    expect(await types.issue(otherwise, account, LOAD)).toMatchObject({
      result: 'refused',
      error: 'card-has-other-keys',
    });
  });
});

/** INITIALIZE UPDATE counts on some cards, whatever comes of it. */
const withoutCounters = (image: string) => image.replace(/"sequenceCounter":\d+/g, '');

/** Notes what is sent. */
function watched(card: CardDevice, sent: string[]): CardDevice {
  return {
    atr: card.atr,
    powerOn: () => card.powerOn(),
    powerOff: () => card.powerOff(),
    reset: () => card.reset(),
    transmit: (command) => {
      sent.push(Buffer.from(command).toString('hex').toUpperCase());
      return card.transmit(command);
    },
  };
}

describe('a card whose own list of keys speaks against the move', () => {
  it.each([
    ['replaced', 'of another type', 'E012C00401018810C00402018810C00403018810'],
    ['replaced', 'of another length', 'E012C00401018010C00402018018C00403018010'],
    ['replaced', 'of another length, in the extended form', 'E00CC00A0301FF80001801000100'],
    [
      'added',
      'of the new version already',
      'E024C00401018810C00402018810C00403018810C00401308810C00402308810C00403308810',
    ],
  ])('(%s) with keys %s: refused before the first byte', async (id, _what, keyInformation) => {
    const { card, identification } = types.type(id).newCard();
    const asked = await types.request(card, randomDigits(16), ENABLE);
    asked.card.keyInformation = keyInformation;
    await expect(types.start(asked)).rejects.toMatchObject({ code: 'wrong-card-type' });
    expect(await domainOnRecord(identification)).toBeUndefined();
  });

  it.each([
    ['replaced', 'that does not tell', undefined],
    ['replaced', 'that tells nonsense', 'E003C00401'],
    ['replaced', 'with keys for other uses beside', 'E018C00401018010C00402018010C00403018010C00471018818'],
    ['added', 'with keys of other versions beside', 'E018C00401018810C00402018810C00403018810C00401718810'],
  ])('(%s) one %s is moved', async (id, _what, keyInformation) => {
    const { card } = types.type(id).newCard();
    const asked = await types.request(card, randomDigits(16), ENABLE);
    if (keyInformation === undefined) delete asked.card.keyInformation;
    else asked.card.keyInformation = keyInformation;
    const outcome = await types.carry(card, await types.start(asked));
    expect(outcome).toMatchObject({ result: 'complete' });
  });
});

describe('a card that lies about the keys it has', () => {
  it('is set aside when it confirms others than it was given', async () => {
    const { card, identification } = types.type('added').newCard();
    const lying: CardDevice = {
      ...watched(card, []),
      transmit: async (command) => {
        const answer = await card.transmit(command);
        // One bit of the second check value.
        if (command[1] === 0xd8) answer[5] = (answer[5] ?? 0) ^ 0x01;
        return answer;
      },
    };
    const outcome = await types.issue(lying, randomDigits(16), ENABLE);
    expect(outcome).toMatchObject({ result: 'partial', error: 'card-set-aside' });
    // Which keys it has is not known, so both stay possible.
    expect((await domainOnRecord(identification))?.candidates).toHaveLength(2);
    const again = types.start(await types.request(card, randomDigits(16), ENABLE));
    await expect(again).rejects.toMatchObject({ code: 'card-set-aside' });
  });
});

describe('tries', () => {
  it('are counted before they are sent: a card torn at its authentications is left alone in time', async () => {
    const { card, identification } = types.type('replaced').newCard();
    const account = randomDigits(16);
    const codes: string[] = [];
    for (let visit = 0; visit < 4; visit += 1) {
      const reply = await types.start(await types.request(card, account, ENABLE));
      codes.push(await untilAuthentication(card, reply));
    }
    // Four tries, one of which must be left: three may be in doubt.
    expect(codes).toEqual(['torn', 'torn', 'torn', 'card-tries-low']);
    expect((await domainOnRecord(identification))?.spent).toBe(3);
  });
});

/** Carries a job to its EXTERNAL AUTHENTICATE, which it loses with the card. */
async function untilAuthentication(card: CardDevice, reply: JobReply): Promise<string> {
  let batch = reply.batch;
  while (batch !== undefined) {
    const tearing: CardDevice = {
      ...watched(card, []),
      transmit: (command) =>
        command[0] === 0x84 && command[1] === 0x82
          ? Promise.reject(new Error('torn'))
          : card.transmit(command),
    };
    const report = await runBatch(tearing, batch);
    if (report.cardEvent !== undefined) {
      // The answer that says so is what counts the try.
      await types.answer(reply.job, batch.seq, report);
      card.powerOn();
      return 'torn';
    }
    const next = await types.answer(reply.job, batch.seq, report);
    if ('outcome' in next) return next.outcome.error ?? 'done';
    batch = next.batch;
  }
  return 'no batch';
}

describe('a new card type is a new file', () => {
  it('that station and server read, and nothing else', async () => {
    const { card, identification } = types.type('unmoved').newCard();
    const { facts } = await types.look(card);
    expect(facts.atr).toBe('3B85014B41494B5404');
    const outcome = await types.issue(card, randomDigits(16), [...ENABLE, ...LOAD]);
    expect(outcome).toMatchObject({ result: 'complete', card: identification });
  });
});

const LOAD: Wish[] = [{ app: 'campus-meal', action: 'enable' }];

async function domainOnRecord(identification: string) {
  return (await types.state(identification)).domain;
}
