/** What a station makes of inventions that it carries to their end, repeats, or puts between the visits of an honest one: nothing that lasts. */
import { expect, it } from 'vitest';
import { released } from '../../../app/keyserver/issuer/released.ts';
import { readCardState, writeCardState } from '../../../app/keyserver/store/cards.ts';
import { together } from '../../../app/keyserver/store/transaction.ts';
import { carryInvented, ROGUE } from '../../support/inventions.ts';
import { issuerRig, newRequestId, randomDigits } from '../../support/issuer-rig.ts';
import { HIGH_LIMITS, type JobContext, onEveryStore, startJob, type Wish } from '../../support/jobs.ts';
import {
  advance,
  CALLER,
  ENABLE,
  issue,
  runBatch,
  triesLeft,
  type VirtualCard,
} from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);

  it('that an app is there, as its SELECT was told to say, stays in doubt', async () => {
    const { card, identification } = rig.newCard();
    const asked = await ask(card, randomDigits(16), MEAL);
    const observed = asked.observed.map((one) => ({ ...one, state: 'installed' as const }));
    await startJob(at(0), ROGUE, { ...asked, observed });
    const second = await startJob(at(1), ROGUE, await ask(card, asked.account, MEAL));
    await carryInvented(at(1), second, 'challenge', 'before');
    const meal = (await rig.record(identification)).apps.find(({ app }) => app === 'campus-meal');
    expect(meal).toMatchObject({ state: 'installed', inDoubt: true });
  });

  it('that an app is enabled, as was told before, is over when the card shows itself and is torn before it is', async () => {
    const { card, identification } = rig.newCard();
    const asked = await ask(card, randomDigits(16), MEAL);
    const observed = asked.observed.map((one) => ({ ...one, state: 'enabled' as const }));
    await startJob(at(0), ROGUE, { ...asked, observed });
    card.powerOn();
    const unseen = await rig.request(card, asked.account, ENABLE, 'e-wallet');
    await advance(card, at(1), await startJob(at(1), CALLER, unseen), 2);
    const torn = await startJob(at(2), CALLER, await ask(card, asked.account, ENABLE));
    if ((await advance(card, at(2), torn, 3)) === undefined) throw new Error('the job is over');
    expect(await walletOf(identification)).toMatchObject({ state: 'installed', enabledBy: null });
  });

  it('that an app is enabled, as was told before, does not spare a card that was torn with its last answer from showing itself', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const first = await ask(card, randomDigits(16), IDENTITY);
    const observed = first.observed.map((one) =>
      one.app === 'e-wallet' ? { ...one, state: 'enabled' as const } : one,
    );
    await startJob(at(0), ROGUE, { ...first, observed });
    card.powerOn();
    const unseen = await rig.request(card, account, ENABLE, 'e-wallet');
    const flag = await advance(card, at(1), await startJob(at(1), CALLER, unseen), 3);
    if (flag === undefined) throw new Error('the job is over');
    await runBatch(card, flag);
    expect(await issue(card, at(2), account, ENABLE)).toMatchObject({ result: 'complete' });
    expect(await rig.record(identification)).toMatchObject({ account });
    expect(await walletOf(identification)).toMatchObject({ state: 'enabled', inDoubt: false });
  });

  it('that an app is not there stays in doubt when its load is said not to have been sent', async () => {
    const { card, identification } = rig.newCard();
    const asked = await ask(card, randomDigits(16), [...IDENTITY, { app: 'transit', action: 'enable' }]);
    const observed = asked.observed.map((one) => ({ app: one.app, state: 'missing' as const }));
    const told = await startJob(at(0), ROGUE, { ...asked, observed });
    await carryInvented(at(0), told, 'load-block');
    const { apps } = await rig.record(identification);
    expect(apps.find(({ app }) => app === 'transit')).toMatchObject({ state: 'missing', inDoubt: true });
  });

  it('what is allowed because of attempts that went to no card, is for a card that shows itself', () =>
    usedUpByNobody(async () => undefined));

  it('and stays so when somebody releases the card', () => usedUpByNobody(release));

  it('whoever enabled an app is named, not who told it before', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    await carryInvented(at(0), await startJob(at(0), ROGUE, await ask(card, randomDigits(16), ENABLE)));
    await issue(card, at(1), account, IDENTITY);
    await carryInvented(at(2), await startJob(at(2), ROGUE, await ask(card, account, ENABLE)));
    await issue(card, at(3), account, ENABLE);
    expect(await enabledBy(identification)).toBe(CALLER.station);
  });

  it('a card that was torn with its last answer was enabled by the job that sent the last command, not by one that set out to', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const lost = await startJob(at(0), CALLER, await ask(card, account, ENABLE));
    const flag = await advance(card, at(0), lost, 4);
    if (flag === undefined) throw new Error('the job is over');
    await runBatch(card, flag);
    await carryInvented(at(1), await startJob(at(1), ROGUE, await ask(card, account, ENABLE)));
    await issue(card, at(2), account, ENABLE);
    expect(await walletOf(identification)).toMatchObject({ state: 'enabled', inDoubt: false });
    expect(await enabledBy(identification)).toBe(CALLER.station);
  });

  it('a key that a torn job may have written stays known beside what is told for the card afterwards', async () => {
    const { card } = rig.newCard();
    const account = randomDigits(16);
    const asked = await rig.request(card, account, ENABLE, 'e-wallet');
    const master = await advance(card, at(0), await startJob(at(0), CALLER, asked), 2);
    if (master === undefined) throw new Error('the job is over');
    await runBatch(card, master);
    for (const hour of [1, 2]) {
      const told = await startJob(at(hour), ROGUE, await ask(card, account, ENABLE));
      await carryInvented(at(hour), told, 'write-maintenance-key', 'before');
    }
    card.powerOn();
    expect(await issue(card, at(3), account, ENABLE)).toMatchObject({ result: 'complete' });
    expect(triesLeft(card)).toBe(3);
  });

  it('an account that was only named, for a card that did not show itself, is its customer’s when their card shows itself', async () => {
    const account = randomDigits(16);
    const named = await startJob(at(0), ROGUE, await ask(rig.newCard().card, account, ENABLE));
    await carryInvented(at(0), named, 'write-enabled-flag', 'before');
    const { card, identification } = rig.newCard();
    expect(await issue(card, at(0), account, ENABLE, 'e-wallet')).toMatchObject({ result: 'complete' });
    expect((await rig.record(identification)).account).toBe(account);
    await expect(carryInvented(at(0), named)).rejects.toMatchObject({ code: 'step-conflict' });
  });

  it('a card for which another account was only named gets its own when it shows itself', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const named = await startJob(at(0), ROGUE, await ask(card, randomDigits(16), ENABLE));
    await carryInvented(at(0), named, 'write-enabled-flag', 'before');
    card.powerOn();
    // Its lease has run out, what it keeps of the account has not.
    expect(await issue(card, at(31 / 3600), account, ENABLE, 'e-wallet')).toMatchObject({
      result: 'complete',
    });
    expect((await rig.record(identification)).account).toBe(account);
  });

  async function walletOf(identification: string) {
    return (await rig.record(identification)).apps.find(({ app }) => app === 'e-wallet');
  }

  async function enabledBy(identification: string): Promise<string | undefined> {
    return (await walletOf(identification))?.enabledBy?.station;
  }

  async function ask(card: VirtualCard, account: string, wishes: Wish[]) {
    card.powerOn();
    return { ...(await rig.request(card, account, wishes)), requestId: newRequestId() };
  }

  /** An attempt was allowed because of a rogue's, which it then tries to use up. `between` is what happens before it does. */
  async function usedUpByNobody(between: (card: string) => Promise<void>): Promise<void> {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const torn = await startJob(at(0), ROGUE, await ask(card, account, IDENTITY));
    await carryInvented(at(0), torn, 'write-master-control-key');
    const silent = await startJob(at(1), ROGUE, await ask(card, account, IDENTITY));
    await carryInvented(at(1), silent, 'authenticate', 'before');
    expect(await issue(card, at(2), account, ENABLE)).toMatchObject({ result: 'complete' });
    await between(identification);
    const using = await startJob(at(3), ROGUE, await ask(card, account, IDENTITY));
    await carryInvented(at(3), using, 'write-maintenance-key', 'before');
    expect(await issue(card, at(4), account, IDENTITY)).toMatchObject({ result: 'complete' });
  }

  async function release(card: string): Promise<void> {
    const { store, catalogue } = rig.context;
    const before = await readCardState(store, card);
    const profile = catalogue.profiles.find(({ id }) => id === 'demo-scp03');
    const { card: after } = released(before, profile, 'one');
    await together(store, (db) => writeCardState(db, card, before, after, new Date().toISOString()));
  }

  /** The server, so many hours from now. */
  function at(hours: number): JobContext {
    const now = () => new Date(Date.now() + hours * 3_600_000);
    return { ...rig.context, limits: HIGH_LIMITS, now };
  }
});

const MEAL: Wish[] = [{ app: 'campus-meal', action: 'enable' }];
const IDENTITY: Wish[] = [{ app: 'identity', action: 'enable' }];
