/** A second and a third version of the security domain's keys: cards are moved when they come, torn or not, and the first one is retired. */
import { beforeAll, describe, expect, it } from 'vitest';
import { placeOf } from '../../../app/keyserver/keys/groups.ts';
import { retireKeys } from '../../../app/keyserver/keys/retire.ts';
import { ruleFor } from '../../../app/keyserver/keys/rules.ts';
import { countOnCards } from '../../../app/keyserver/store/keys-on-cards.ts';
import { openVaultAdmin } from '../../../app/keyserver/vault/admin.ts';
import { randomDigits, refusal, type Wish } from '../../support/jobs.ts';
import { activate, addCustodian, keyChange } from '../../support/key-versions.ts';
import { MOVED, MOVING, MOVING_TYPES } from '../../support/moving-types.ts';
import { domainOnCard, keysOnCard, type OtherTypesRig, otherTypes } from '../../support/other-type.ts';
import { ENABLE, loseStation, TearingDevice } from '../../support/visits.ts';

const types = otherTypes(MOVING_TYPES);
beforeAll(makeNewerKeys);

describe.each(MOVING)('cards of a type (%s)', (id) => {
  it('are moved to the next version by whatever comes next, work under it, and go back', async () => {
    await use(id, 1);
    const made = types.type(id).newCard();
    const account = randomDigits(16);
    await types.issue(made.card, account, ENABLE);
    let number = await expectVersion(id, made, 1, 'issued');
    const first = keysOnCard(made.card, number);
    // A channel that can be foretold costs no trip of its own.
    const trips = FORETOLD[id] ? 3 : 4;
    for (const version of [2, 3, 1]) {
      await use(id, version);
      const outcome = await types.issue(made.card, account, NOTHING);
      expect(outcome, `to ${version}`).toMatchObject({ result: 'complete', trips, plannedTrips: trips });
      const next = await expectVersion(id, made, version, `to ${version}`);
      // Never the number it had: what is on the card afterwards would not be known.
      expect(next).not.toBe(number);
      number = next;
      expect(keysOnCard(made.card, number) === first).toBe(version === 1);
    }
    expect(await types.issue(made.card, account, LOAD)).toMatchObject({
      result: 'complete',
      trips: FORETOLD[id] ? 6 : 7,
    });
  });

  it.each(['before', 'after'] as const)(
    'torn on the way to 2, then on the way to 3, %s the card acted: the next visits end at 3',
    async (when) => {
      for (let at = 1; at <= OF_THE_MOVE; at += 1) {
        await use(id, 1);
        const made = types.type(id).newCard();
        const account = randomDigits(16);
        await types.issue(made.card, account, ENABLE);
        for (const version of [2, 3]) {
          await use(id, version);
          const asked = await types.request(made.card, account, NOTHING);
          await loseStation(new TearingDevice(made.card, { at, when }), types.context, asked);
          made.card.powerOn();
        }
        // What was begun is finished first, and the next visit goes on from there.
        for (let visit = 0; visit < 2; visit += 1)
          expect(await types.issue(made.card, account, NOTHING), `torn at ${at}`).toMatchObject({
            result: 'complete',
          });
        await expectVersion(id, made, 3, `torn at ${at}`);
      }
    },
  );

  it('torn within one job, the same job goes on', async () => {
    for (let at = 1; at <= OF_THE_MOVE; at += 1) {
      await use(id, 1);
      const made = types.type(id).newCard();
      const account = randomDigits(16);
      await types.issue(made.card, account, ENABLE);
      await use(id, 2);
      const asked = await types.request(made.card, account, NOTHING);
      const torn = new TearingDevice(made.card, { at, when: 'after', onTorn: () => made.card.powerOff() });
      const outcome = await types.carry(torn, await types.start(asked));
      expect(outcome, `torn at ${at}`).toMatchObject({ result: 'complete' });
      await expectVersion(id, made, 2, `torn at ${at}`);
    }
  });
});

it('the old version is retired when no card of the type has it, whatever other types have', async () => {
  await use('added', 1);
  await use('replaced', 1);
  const retire = (name: string, version: number) =>
    retireKeys(types.context.store, version, keyChange(types, name), new Date());
  const other = types.type('replaced').newCard();
  await types.issue(other.card, randomDigits(16), ENABLE);
  const cards = await types.context.store
    .selectFrom('card_keys')
    .select('card')
    .where('app', '=', 'isd')
    .where(
      'card',
      'in',
      types.context.store.selectFrom('cards').select('id').where('card_type', '=', 'added'),
    )
    .where('slot', '=', 'set')
    .execute();
  expect(cards.length).toBeGreaterThan(0);
  await use('added', 2);
  expect((await refusal(retire('isd/added', 1))).code).toBe('not-permitted');
  // Every card of the type comes once more; here they are forgotten instead.
  await types.context.store
    .deleteFrom('card_keys')
    .where('app', '=', 'isd')
    .where(
      'card',
      'in',
      types.context.store.selectFrom('cards').select('id').where('card_type', '=', 'added'),
    )
    .execute();
  expect(await countOnCards(types.context.store, placeOf('isd/added/enc'), 1)).toBe(0);
  expect(await countOnCards(types.context.store, placeOf('isd/replaced/enc'), 1)).toBeGreaterThan(0);
  await retire('isd/added', 1);
  expect((await refusal(activate(types, 'isd/added', 1))).code).toBe('not-permitted');
});

async function makeNewerKeys(): Promise<void> {
  await addCustodian(types);
  await types.issue(types.type('added').newCard().card, randomDigits(16), ENABLE);
  const admin = await openVaultAdmin(types.rig.token);
  try {
    for (const { id, scp } of MOVING_TYPES) {
      for (const version of [2, 3]) {
        for (const key of ['enc', 'mac', 'dek'])
          await admin.generateMaster({
            id: { purpose: `isd/${id}/${key}`, origin: 'issuer', version },
            algorithm: scp === '02' ? 'des3-16' : 'aes-128',
            rule: ruleFor(
              types.context.catalogue,
              { purpose: `isd/${id}/${key}`, origin: 'issuer', version },
              'new',
            ),
          });
      }
    }
  } finally {
    await admin.close();
  }
}

const active = new Map<string, number>();

const LOAD: Wish[] = [{ app: 'campus-meal', action: 'enable' }];

const NOTHING: Wish[] = [{ app: 'campus-meal', action: 'delete' }];

/** Commands of the move alone. */
const OF_THE_MOVE = 12;

async function use(id: string, version: number): Promise<void> {
  if ((active.get(id) ?? 1) !== version) await activate(types, `isd/${id}`, version);
  active.set(id, version);
}

/** What the card has under which number: the profile's, or the next one where it had the profile's before. */
async function expectVersion(
  id: (typeof MOVING)[number],
  { card, identification }: ReturnType<ReturnType<OtherTypesRig['type']>['newCard']>,
  version: number,
  what: string,
): Promise<number> {
  const { domain } = await types.state(identification);
  expect(domain, what).toMatchObject({
    candidates: [{ origin: 'issuer', version }],
    spent: 0,
    leaving: null,
  });
  const number = domain?.candidates[0]?.keyVersion ?? 0;
  expect([MOVED[id].versions[0], MOVED[id].versions[0] + 1], what).toContain(number);
  expect(domainOnCard(card), what).toEqual({ ...MOVED[id], versions: [number], failedAuthentications: 0 });
  return number;
}

/** By what i means: only SCP03 i = 70 of these has challenges that follow from the counter (SCP02's bit for it is 40). */
const FORETOLD = { vanishing: true, added: false, replaced: false };
