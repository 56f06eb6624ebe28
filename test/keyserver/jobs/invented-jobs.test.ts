/** Whole jobs that a station invents of cards it does not have, beside an honest one that has them: the cards lose nothing. */
import { expect, it } from 'vitest';
import { carryInvented, invented, ROGUE } from '../../support/inventions.ts';
import { issuerRig, newRequestId, randomDigits } from '../../support/issuer-rig.ts';
import {
  answerStep,
  HIGH_LIMITS,
  type JobContext,
  onEveryStore,
  startJob,
  type Wish,
} from '../../support/jobs.ts';
import { advance, CALLER, ENABLE, issue, runBatch, triesLeft } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);

  it('two of them, with an account each, cost a new card no try and leave its own key known', async () => {
    const { card } = rig.newCard();
    await carryInvented(
      at(0),
      await startJob(at(0), ROGUE, await rig.request(card, randomDigits(16), ENABLE)),
    );
    const second = { ...(await rig.request(card, randomDigits(16), ENABLE)), requestId: newRequestId() };
    await carryInvented(at(1), await startJob(at(1), ROGUE, second), 'write-master-control-key');
    card.reset();
    expect(await issue(card, at(2), randomDigits(16), ENABLE)).toMatchObject({ result: 'complete' });
    expect(triesLeft(card)).toBe(3);
  });

  it('one of them costs a new card no try before it is served', async () => {
    const { card } = rig.newCard();
    await carryInvented(
      at(0),
      await startJob(at(0), ROGUE, await rig.request(card, randomDigits(16), ENABLE)),
    );
    card.reset();
    const asked = { ...(await rig.request(card, randomDigits(16), ENABLE)), requestId: newRequestId() };
    // As far as the answer to the first authentication: a wrong one would have been counted by now.
    await advance(card, at(1), await startJob(at(1), CALLER, asked), 2);
    expect(triesLeft(card)).toBe(3);
  });

  it('a card that was torn keeps its account beside them', async () => {
    const { card } = rig.newCard();
    const account = randomDigits(16);
    await advance(card, at(0), await startJob(at(0), CALLER, await rig.request(card, account, ENABLE)), 2);
    card.reset();
    const invented = { ...(await rig.request(card, account, ENABLE)), requestId: newRequestId() };
    await carryInvented(at(1), await startJob(at(1), ROGUE, invented));
    await expect(issue(rig.newCard().card, at(2), account, ENABLE)).rejects.toMatchObject({
      code: 'account-taken',
    });
    card.reset();
    expect(await issue(card, at(3), account, ENABLE)).toMatchObject({ result: 'complete' });
  });

  it('a card is not set aside for an account that another one was given meanwhile', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const first = await startJob(at(0), ROGUE, await rig.request(card, account, ENABLE));
    const flag = await carryInvented(at(0), first, 'write-enabled-flag', 'before');
    await startJob(at(1), ROGUE, await rig.request(rig.newCard().card, account, ENABLE, 'e-wallet'));
    if (flag === undefined) throw new Error('no batch had the flag');
    await answerStep(at(1), ROGUE, first.job, flag.seq, invented(flag, '00000009'));
    expect((await rig.record(identification)).setAside).toBeNull();
    card.reset();
    expect(await issue(card, at(2), randomDigits(16), ENABLE)).toMatchObject({ result: 'complete' });
  });

  it('what they said of an app is not the record’s once the card has shown itself', async () => {
    const { card, identification } = rig.newCard();
    await carryInvented(
      at(0),
      await startJob(at(0), ROGUE, await rig.request(card, randomDigits(16), ENABLE)),
    );
    card.reset();
    const asked = { ...(await rig.request(card, randomDigits(16), ENABLE)), requestId: newRequestId() };
    await advance(card, at(1), await startJob(at(1), CALLER, asked), 3);
    card.reset();
    const { observed } = await rig.request(card, randomDigits(16), ENABLE);
    const says = observed.find(({ app }) => app === 'e-wallet');
    const wallet = (await rig.record(identification)).apps.find(({ app }) => app === 'e-wallet');
    expect(says).toMatchObject({ state: 'installed' });
    expect(wallet).toMatchObject({ state: 'installed' });
    expect(wallet?.enabledBy ?? null).toBeNull();
  });

  it('an app whose flag was written unheard is the deed of its station, whoever names the card before it comes again', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const torn = await startJob(at(0), CALLER, await rig.request(card, account, ENABLE));
    const flag = await advance(card, at(0), torn, 4);
    expect(flag?.commands.map(({ label }) => label.step)).toContain('write-enabled-flag');
    if (flag !== undefined) await runBatch(card, flag);
    card.reset();
    const asked = await rig.request(card, account, ENABLE);
    const observed = asked.observed.map((one) =>
      one.app === 'e-wallet' ? { ...one, state: 'installed' as const } : one,
    );
    await carryInvented(at(1), await startJob(at(1), ROGUE, { ...asked, observed }));
    card.reset();
    await issue(card, at(2), account, ENABLE);
    const wallet = (await rig.record(identification)).apps.find(({ app }) => app === 'e-wallet');
    expect(wallet).toMatchObject({ state: 'enabled', enabledBy: { job: torn.job } });
  });

  it('what a torn deletion left in doubt stays so, though a station says that it sent none', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    await issue(card, at(0), account, [{ app: 'identity', action: 'enable' }]);
    card.reset();
    const before = await rig.request(card, account, DELETE);
    const torn = await startJob(at(1), CALLER, before);
    if (torn.batch !== undefined) await runBatch(card, torn.batch);
    const { job, batch } = await startJob(at(2), ROGUE, { ...before, requestId: newRequestId() });
    const place = batch?.commands.findIndex(({ label }) => label.step === 'open-secure-channel') ?? -1;
    if (batch === undefined) throw new Error('no batch');
    const { answers, cardEpoch } = invented(batch, '00000000');
    const other = [...answers.slice(0, place), `${'00'.repeat(32)}9000`];
    await answerStep(at(2), ROGUE, job, 1, { apiLevel: 1, cardEpoch, answers: other, stoppedAt: place });
    const { apps } = await rig.record(identification);
    expect(apps.find(({ app }) => app === 'identity')).toMatchObject({ inDoubt: true });
  });

  it('a card that was named first as one of another type is issued as what it is, and stays that', async () => {
    const { card, identification } = rig.newCard();
    const told = rig.newCard({ type: 'demo-scp02', identificationCode: identification }).card;
    const tell = async (context: JobContext) =>
      startJob(context, ROGUE, await rig.request(told, randomDigits(16), ENABLE));
    await carryInvented(at(0), await tell(at(0)));
    const account = randomDigits(16);
    expect(await issue(card, at(1), account, ENABLE)).toMatchObject({ result: 'complete' });
    expect(triesLeft(card)).toBe(3);
    await expect(tell(at(2))).rejects.toMatchObject({ code: 'wrong-card-type' });
    expect(await rig.record(identification)).toMatchObject({ cardType: 'demo-scp03', account });
  });

  it('a card that was pulled out before it showed itself is kept when it comes again an hour later', async () => {
    const { card } = rig.newCard();
    const ask = async () => ({
      ...(await rig.request(card, randomDigits(16), ENABLE)),
      requestId: newRequestId(),
    });
    await startJob(at(0), CALLER, await ask());
    await startJob(at(1), CALLER, await ask());
    await expect(startJob(at(1), ROGUE, await ask())).rejects.toMatchObject({ code: 'card-in-use' });
  });

  /** The server, so many hours from now. */
  function at(hours: number): JobContext {
    const now = () => new Date(Date.now() + hours * 3_600_000);
    return { ...rig.context, limits: HIGH_LIMITS, now };
  }
});

const DELETE: Wish[] = [{ app: 'identity', action: 'delete' }];
