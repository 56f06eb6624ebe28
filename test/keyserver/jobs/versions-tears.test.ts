/** Power lost while an app is moved from version to version: one more insertion reaches the newest, no try is wasted, no key is lost. */
import { beforeAll, describe, expect, it } from 'vitest';
import { releaseSetAside } from '../../../app/keyserver/recovery/release.ts';
import { refusal } from '../../support/issuer-steps.ts';
import { randomDigits, tokenRig } from '../../support/jobs.ts';
import { activate, addCustodian, holds, importVersion } from '../../support/key-versions.ts';
import { writeOperator } from '../../support/operators.ts';
import type { VirtualCard } from '../../support/visits.ts';
import { ENABLE, loseStation, TearingDevice, triesLeft, WALLET } from '../../support/visits.ts';

const rig = tokenRig();
beforeAll(enableOneAndImportKeys);

let active = 1;

describe.each(['before', 'after'] as const)('power lost %s the card acted', (when) => {
  it('at every command of the move: the same job goes on', async () => {
    for (let at = 1; at <= COMMANDS; at += 1) {
      const { card, account, identification } = await onFirst();
      await use(2);
      const asked = await rig.request(card, account, ENABLE);
      const torn = new TearingDevice(card, { at, when, onTorn: () => card.powerOff() });
      const outcome = await rig.carry(torn, await rig.start(asked));
      expect(torn.struck).toBe(true);
      expect(outcome, `torn at ${at}`).toMatchObject({ result: 'complete' });
      const jobs = await expectVersion(card, identification, account, 2, `torn at ${at}`);
      expect(tries(jobs)).toBeLessThanOrEqual(1);
    }
  });

  it('at every command on the way from 1 to 2, and again on the way to 3: the next visit has 3', async () => {
    for (let at = 1; at <= COMMANDS; at += 1) {
      for (const again of [3, AUTHENTICATE, 9, COMMANDS]) {
        const what = `torn at ${at}, then at ${again}`;
        const { card, account, identification } = await onFirst();
        for (const [version, place] of [
          [2, at],
          [3, again],
        ] as const) {
          await use(version);
          const asked = await rig.request(card, account, ENABLE);
          const torn = new TearingDevice(card, { at: place, when, onTorn: () => card.powerOff() });
          await loseStation(torn, rig.context, asked);
        }
        expect(await rig.issue(card, account, ENABLE), what).toMatchObject({ result: 'complete' });
        const few = FEW_TRIES[when][`${at} ${again}`];
        if (few !== undefined) {
          await expectFewTries(card, identification, account, few, what);
          continue;
        }
        const jobs = await expectVersion(card, identification, account, 3, what);
        expect(tries(jobs), what).toBeLessThanOrEqual(2);
      }
    }
  });

  it('on the way to 2, which is taken back meanwhile: the card goes back to 1', async () => {
    for (let at = AUTHENTICATE; at <= COMMANDS; at += 1) {
      const { card, account, identification } = await onFirst();
      await use(2);
      const torn = new TearingDevice(card, { at, when, onTorn: () => card.powerOff() });
      await loseStation(torn, rig.context, await rig.request(card, account, ENABLE));
      await use(1);
      expect(await rig.issue(card, account, ENABLE), `torn at ${at}`).toMatchObject({
        result: 'complete',
      });
      const { apps } = await rig.record(identification);
      expect(apps.find(({ app }) => app === 'e-wallet')).toMatchObject({
        keyVersions: { mck: 1, mtk: 1 },
        inDoubt: false,
      });
    }
  });

  it('while an app is enabled with 2, and 3 is active when it comes back', async () => {
    for (let at = 1; at <= 11; at += 1) {
      await use(2);
      const { card, identification } = rig.newCard();
      const account = randomDigits(16);
      const torn = new TearingDevice(card, { at, when, onTorn: () => card.powerOff() });
      await loseStation(torn, rig.context, await rig.request(card, account, ENABLE));
      await use(3);
      expect(await rig.issue(card, account, ENABLE), `torn at ${at}`).toMatchObject({
        result: 'complete',
      });
      await expectVersion(card, identification, account, 3, `torn at ${at}`);
    }
  });
});

it('deleted, loaded and enabled again while versions change: each life has the keys of its time', async () => {
  await use(1);
  const { card, identification } = rig.newCard();
  const account = randomDigits(16);
  for (const [life, version] of [
    [1, 2],
    [2, 3],
    [3, 4],
  ] as const) {
    await use(version);
    await rig.issue(card, account, ENABLE);
    await expectVersion(card, identification, account, version, `life ${life}`);
    const { apps } = await rig.record(identification);
    expect(apps.find(({ app }) => app === 'e-wallet')).toMatchObject({ instance: life });
    await rig.issue(card, account, [{ app: 'e-wallet', action: 'delete' }]);
  }
});

async function enableOneAndImportKeys(): Promise<void> {
  await addCustodian(rig);
  await rig.issue(rig.newCard().card, randomDigits(16), ENABLE);
  for (const version of [2, 3, 4]) values.set(version, await importVersion(rig, [MCK, MTK], version));
}

const values = new Map<number, ReadonlyMap<string, Uint8Array>>();

const NAME = 'app/e-wallet';

const [MCK, MTK] = [`${NAME}/mck`, `${NAME}/mtk`] as const;

/** Two that find the card, two by which it shows itself; SELECT, challenge, authenticate, challenge, write, challenge, write. */
const COMMANDS = 11;

const AUTHENTICATE = 7;

/**
 * Torn at these two, the server never heard of two authentications, or of one while two keys are possible: of three tries the last ones
 * are not risked. How many people allow the next attempt: it may be the last, or leaves a try.
 */
const FEW_TRIES: Record<'before' | 'after', Record<string, 'one' | 'two'>> = {
  before: { '7 7': 'two', '8 7': 'two', '11 7': 'one', '11 11': 'two' },
  after: { '7 7': 'two', '8 7': 'two', '11 7': 'one' },
};

async function use(version: number): Promise<void> {
  if (version !== active) await activate(rig, NAME, version);
  active = version;
}

async function onFirst() {
  await use(1);
  const made = rig.newCard();
  const account = randomDigits(16);
  await rig.issue(made.card, account, ENABLE);
  return { ...made, account };
}

async function expectVersion(
  card: VirtualCard,
  identification: string,
  account: string,
  version: number,
  what: string,
) {
  const keys = values.get(version);
  const empty = new Uint8Array(16);
  expect(holds(card, WALLET, 0x39, keys?.get(MCK) ?? empty, account), what).toBe(true);
  expect(holds(card, WALLET, 0x36, keys?.get(MTK) ?? empty, account), what).toBe(true);
  expect(triesLeft(card), what).toBe(3);
  const { apps, jobs } = await rig.record(identification);
  expect(
    apps.find(({ app }) => app === 'e-wallet'),
    what,
  ).toMatchObject({
    state: 'enabled',
    keyVersions: { mck: version, mtk: version },
    inDoubt: false,
  });
  const { observed } = await rig.look(card);
  expect(observed.find(({ app }) => app === 'e-wallet')?.state, what).toBe('enabled');
  return jobs;
}

/** Left alone, working, until a supervisor allows another attempt, or two people; then it goes where the others are. */
async function expectFewTries(
  card: VirtualCard,
  identification: string,
  account: string,
  people: 'one' | 'two',
  what: string,
) {
  const moved = async () => {
    const { apps } = await rig.record(identification);
    return apps.find(({ app }) => app === 'e-wallet')?.keyVersions['mck'] === 3;
  };
  expect(await moved(), what).toBe(false);
  expect(triesLeft(card), what).toBeGreaterThanOrEqual(1);
  const release = { card: identification, operator: 'chief', reason: 'the reader was broken' };
  const released = (more: object = {}) =>
    releaseSetAside(rig.context.store, rig.context.catalogue, { ...release, ...more }, new Date());
  const secret = 'a long secret';
  for (const id of ['chief', 'deputy']) await writeOperator(rig.context.store, { id, name: id, secret });
  if (people === 'two') expect((await refusal(released())).code, what).toBe('nothing-to-do');
  await released(people === 'two' ? { second: { id: 'deputy', secret } } : {});
  await rig.issue(card, account, ENABLE);
  await expectVersion(card, identification, account, 3, what);
}

const tries = (jobs: Awaited<ReturnType<typeof expectVersion>>) =>
  jobs.flatMap(({ steps }) => steps).filter(({ sw }) => sw.startsWith('63C')).length;
