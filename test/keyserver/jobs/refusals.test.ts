/** What is refused, by which code, and that the store is as it was: no card is bound, no lease held, no try counted. */
import { describe, expect, it } from 'vitest';
import { openActiveVersions } from '../../../app/keyserver/keys/active-versions.ts';
import { triesLeft } from '../../support/issuer-steps.ts';
import type { JobContext, JobRequest, Wish } from '../../support/jobs.ts';
import { batchOf, issuerRig, randomDigits, refusal, startJob, storeText } from '../../support/jobs.ts';
import { advance, CALLER, ENABLE, runBatch, unconfirmed, VirtualCard } from '../../support/visits.ts';

const rig = issuerRig();

describe('a job is refused', () => {
  it.each<[string, string, (asked: JobRequest) => Partial<JobRequest>]>([
    ['unknown-card', 'an ATR of no profile', ({ card }) => ({ card: { ...card, atr: '3B00' } })],
    [
      'wrong-card-type',
      "card data that contradict the ATR's type",
      ({ card }) => ({ card: { ...card, cardData: '660F730D640B06092A864886FC6B040255' } }),
    ],
    [
      'app-not-in-catalogue',
      'an app nobody offers',
      () => ({
        wishes: [{ app: 'lottery', action: 'enable' }],
        observed: [{ app: 'lottery', state: 'installed' }],
      }),
    ],
    ['account-invalid', 'an account of zeros', () => ({ account: '0000000000000000' })],
    ['bad-request', 'an app wished twice', () => ({ wishes: [...ENABLE, ...DELETE] })],
    [
      'bad-request',
      'an app observed twice',
      ({ observed }) => ({ observed: [...observed, { app: 'e-wallet', state: 'enabled' }] }),
    ],
    ['bad-request', 'an app that was not looked at', () => ({ observed: [] })],
    [
      'not-permitted',
      'a confirmation with a token that is none',
      () => ({ wishes: [{ app: 'e-wallet', action: 'delete', confirmedBy: 'x'.repeat(43) }] }),
    ],
  ])('%s: %s', async (code, _what, change) => {
    await expectRefused(code, ENABLE, change);
  });

  it('app-not-for-this-card and app-cannot-be-loaded, naming the app', async () => {
    const profiles = rig.context.catalogue.profiles.map((profile) => {
      const { transit: _transit, ...apps } = profile.apps;
      return { ...profile, apps };
    });
    const transit: Wish[] = [{ app: 'transit', action: 'enable' }];
    const narrow = { ...rig.context, catalogue: { ...rig.context.catalogue, profiles } };
    expect(await expectRefused('app-not-for-this-card', transit, () => ({}), narrow)).toEqual({
      app: 'transit',
    });
    const apps = rig.context.catalogue.apps.map(({ package: _package, ...app }) => app);
    const bare = { ...rig.context, catalogue: { ...rig.context.catalogue, apps } };
    const meal: Wish[] = [{ app: 'campus-meal', action: 'enable' }];
    expect(await expectRefused('app-cannot-be-loaded', meal, () => ({}), bare)).toEqual({
      app: 'campus-meal',
    });
  });

  it('not-enough-memory, naming what to delete', async () => {
    const { card } = rig.newCard({ memory: 20_000 });
    const asked = await rig.request(card, randomDigits(16), [{ app: 'campus-meal', action: 'enable' }]);
    const before = await storeText(rig.context);
    expect(await refusal(rig.start(asked))).toEqual({
      code: 'not-enough-memory',
      details: { needed: 22_528, free: 18_976, suggestions: ['e-wallet', 'identity', 'transit'] },
    });
    expect(await storeText(rig.context)).toBe(before);
  });

  it('wrong-card-type: a known card that shows up as another type', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    await rig.issue(card, account, ENABLE, 'e-wallet');
    const other = rig.newCard({ type: 'demo-scp02', identificationCode: identification });
    const asked = await rig.request(other.card, account, ENABLE);
    const before = await storeText(rig.context);
    expect((await refusal(rig.start(asked))).code).toBe('wrong-card-type');
    expect(await storeText(rig.context)).toBe(before);
  });

  it('hsm-key-missing: an app whose issuer keys were never made', async () => {
    const status = await rig.context.vault.status();
    const masters = status.masters.filter((key) => key.purpose !== 'app/e-wallet/mtk');
    const vault = { ...rig.context.vault, status: async () => ({ ...status, masters }) };
    const context = {
      ...rig.context,
      vault,
      activeVersions: openActiveVersions({ store: rig.context.store, vault, now: () => 0 }),
    };
    await expectRefused('hsm-key-missing', ENABLE, () => ({}), context);
  });
});

describe('the account', () => {
  it('is bound once something came of a job, not before', async () => {
    const { card, identification } = rig.newCard();
    const first = randomDigits(16);
    // No opening: the first batch only looks.
    const reply = await rig.start(await rig.request(card, first, ENABLE));
    expect((await rig.record(identification)).account).toBe('');
    // The authentication is out: the account is kept for the card, and not yet its own.
    const batch = await advance(card, rig.context, reply, 1);
    expect((await rig.record(identification)).account).toBe('');
    await rig.carry(card, { ...reply, batch });
    expect((await rig.record(identification)).account).toBe(first);
  });

  it('is never taken from a request again: account-mismatch', async () => {
    const { card } = rig.newCard();
    await rig.issue(card, randomDigits(16), ENABLE, 'e-wallet');
    const asked = await rig.request(card, randomDigits(16), ENABLE);
    const before = await storeText(rig.context);
    expect((await refusal(rig.start(asked))).code).toBe('account-mismatch');
    expect(await storeText(rig.context)).toBe(before);
  });

  it.each([
    ['the same account', (account: string) => account],
    ['another whose last 16 digits are the same', (account: string) => `99${account}`],
  ])('account-taken: %s on a second card', async (_name, second) => {
    const account = randomDigits(16);
    await rig.issue(rig.newCard().card, account, ENABLE, 'e-wallet');
    for (const opening of ['e-wallet', undefined]) {
      const { card } = rig.newCard();
      const asked = await rig.request(card, second(account), ENABLE, opening);
      const before = await storeText(rig.context);
      expect((await refusal(rig.start(asked))).code).toBe('account-taken');
      expect(await storeText(rig.context)).toBe(before);
    }
  });

  it('of two unbound cards with the same account the first to be changed gets it', async () => {
    const account = randomDigits(16);
    const [one, two] = [rig.newCard(), rig.newCard()];
    const first = await rig.start(await rig.request(one.card, account, ENABLE));
    const second = await rig.start(await rig.request(two.card, account, ENABLE));
    expect((await rig.carry(one.card, first)).result).toBe('complete');
    const report = await runBatch(two.card, batchOf(second));
    const before = await storeText(rig.context);
    expect((await refusal(rig.answer(second.job, 1, report))).code).toBe('account-taken');
    expect(await storeText(rig.context)).toBe(before);
    expect(triesLeft(two.card)).toBe(3);
  });
});

describe('a purse that nobody confirmed', () => {
  const expectStill = async (card: Parameters<typeof rig.look>[0], state: string) => {
    const { observed } = await rig.look(card);
    expect(observed.find((one) => one.app === 'e-wallet')?.state).toBe(state);
  };
  const alone = async (card: VirtualCard, wishes: Wish[]) => {
    const asked = unconfirmed(await rig.request(card, randomDigits(16), wishes));
    return rig.carry(card, await rig.start(asked));
  };

  it('purse-not-empty: with one cent it stays, and the job changed nothing', async () => {
    const { card } = rig.newCard({ balances: { 'e-wallet': 1 } });
    const outcome = await alone(card, DELETE);
    expect(outcome).toMatchObject({ result: 'refused', error: 'purse-not-empty', deleted: [] });
    await expectStill(card, 'installed');
  });

  it('purse-not-empty, but what else was wished is done', async () => {
    const { card } = rig.newCard({ balances: { 'e-wallet': 1 } });
    const outcome = await alone(card, [...DELETE, { app: 'identity', action: 'delete' }]);
    expect(outcome).toMatchObject({ result: 'partial', error: 'purse-not-empty', deleted: ['identity'] });
    expect(outcome.apps).toMatchObject([{ app: 'e-wallet', after: 'installed', error: 'purse-not-empty' }]);
  });

  it('balance-unreadable: a purse that does not say is not empty', async () => {
    const { card } = rig.newCard();
    const image = card.image;
    for (const instance of image.instances) {
      if (instance.applet.kind === 'fmcos') delete instance.applet.balance;
    }

    const mute = new VirtualCard(image);
    mute.powerOn();
    expect(await alone(mute, DELETE)).toMatchObject({ result: 'refused', error: 'balance-unreadable' });
    await expectStill(mute, 'installed');
  });
});

const DELETE: Wish[] = [{ app: 'e-wallet', action: 'delete' }];

/** Asks for `wishes` on a fresh card, with something wrong; expects the code and an unchanged store. */
async function expectRefused(
  code: string,
  wishes: Wish[],
  change: (asked: JobRequest) => Partial<JobRequest>,
  context: JobContext = rig.context,
) {
  const { card } = rig.newCard();
  const asked = await rig.request(card, randomDigits(16), wishes, 'e-wallet');
  const before = await storeText(rig.context);
  const refused = await refusal(startJob(context, CALLER, { ...asked, ...change(asked) }));
  expect(refused.code).toBe(code);
  expect(await storeText(rig.context)).toBe(before);
  return refused.details;
}
