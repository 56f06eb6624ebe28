/** A second person's confirmation: once, for that card, that app and that amount, by somebody else at the same station, for minutes. */
import { beforeAll, describe, expect, it } from 'vitest';
import { signIn } from '../../../app/keyserver/access/sessions.ts';
import { inventing } from '../../support/inventing.ts';
import { newRequestId, randomDigits } from '../../support/issuer-rig.ts';
import type { ConfirmedDeletion, JobContext, JobRequest, Wish } from '../../support/jobs.ts';
import { issuerRig, onEveryStore, outcomeOf, refusal, startJob, writeOperator } from '../../support/jobs.ts';
import {
  CALLER,
  carry,
  confirmationOf,
  OTHER_CALLER,
  runBatch,
  unconfirmed,
  WALLET,
} from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);
  beforeAll(async () => {
    for (const id of [CALLER.operator, 'supervisor'])
      await writeOperator(rig.context.store, { id, name: `Name of ${id}`, secret: `secret of ${id}` });
  });

  /** A card with money on it, and a request to delete that purse which nobody confirmed yet. */
  const purse = async (balance = AMOUNT) => {
    const { card, identification } = rig.newCard({ balances: { 'e-wallet': balance } });
    const asked = unconfirmed(await rig.request(card, randomDigits(16), DELETE));
    return { card, asked, confirms: { card: identification, app: 'e-wallet', balance } };
  };
  /** Signed in as they do it at a station. */
  const sign = async (confirms: ConfirmedDeletion, operator = 'supervisor', at = new Date()) => {
    const request = { apiLevel: 1 as const, operator, secret: `secret of ${operator}`, confirms };
    return (await signIn(rig.context.store, CALLER, request, at)).token;
  };
  const start = (asked: JobRequest, context: JobContext = rig.context, caller = CALLER) =>
    startJob(context, caller, asked);
  const withToken = (asked: JobRequest, confirmedBy: string): JobRequest => ({
    ...asked,
    requestId: newRequestId(),
    wishes: asked.wishes.map((wish) => ({ ...wish, confirmedBy })),
  });
  const code = async (asked: JobRequest, context?: JobContext, caller?: typeof CALLER) =>
    (await refusal(start(asked, context, caller))).code;

  it('lets one job delete the purse, and is on record with who gave it', async () => {
    const { card, asked, confirms } = await purse();
    const reply = await start(withToken(asked, await sign(confirms)));
    expect(await carry(card, rig.context, reply)).toMatchObject({
      result: 'complete',
      deleted: ['e-wallet'],
    });
    const rows = await rig.context.store
      .selectFrom('audit')
      .selectAll()
      .where('job', '=', reply.job)
      .execute();
    expect(rows).toMatchObject([{ kind: 'purse-confirmed', operator: 'supervisor', card: confirms.card }]);
    expect(JSON.parse(rows[0]?.detail ?? '')).toEqual({
      app: 'e-wallet',
      balance: AMOUNT,
      asked: CALLER.operator,
    });
    // People are told by name.
    expect((await rig.record(confirms.card)).jobs).toMatchObject([
      {
        operator: CALLER.operator,
        name: 'Name of test-clerk',
        confirmed: [{ app: 'e-wallet', operator: 'supervisor', name: 'Name of supervisor' }],
      },
    ]);
  });

  it('is used up by the job that it was given for, also when that deletes nothing', async () => {
    const { asked, confirms } = await purse();
    const token = await sign(confirms);
    const first = withToken(asked, token);
    const reply = await start(first);
    // The same request again is answered as before; another one is not.
    expect(await start(first)).toEqual(reply);
    expect(await code(withToken(asked, token))).toBe('not-permitted');
  });

  it('asked for at once by two jobs: one gets it', async () => {
    const { asked, confirms } = await purse();
    const token = await sign(confirms);
    const both = await Promise.allSettled([1, 2].map(() => start(withToken(asked, token))));
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it.each<[string, (confirms: ConfirmedDeletion) => ConfirmedDeletion]>([
    ['another card', (confirms) => ({ ...confirms, card: '6212345678901234' })],
    ['another app', (confirms) => ({ ...confirms, app: 'transit' })],
    ['another amount', (confirms) => ({ ...confirms, balance: AMOUNT - 1 })],
    ['a purse that says nothing', (confirms) => ({ ...confirms, balance: null })],
  ])('is not good for %s', async (_what, change) => {
    const { asked, confirms } = await purse();
    expect(await code(withToken(asked, await sign(change(confirms))))).toBe('not-permitted');
  });

  it('is not good from the one who asks, at another station, later than five minutes, and not to work with', async () => {
    const { asked, confirms } = await purse();
    expect(await code(withToken(asked, await sign(confirms, CALLER.operator)))).toBe('not-permitted');
    const good = withToken(asked, await sign(confirms));
    expect(await code(good, rig.context, OTHER_CALLER)).toBe('not-permitted');
    const late = { ...rig.context, now: () => new Date(Date.now() + 301_000) };
    expect(await code(good, late)).toBe('not-permitted');
    const work = { apiLevel: 1 as const, operator: 'supervisor', secret: 'secret of supervisor' };
    const { token } = await signIn(rig.context.store, CALLER, work, new Date());
    expect(await code(withToken(asked, token))).toBe('not-permitted');
    expect(await start(good)).toHaveProperty('batch');
  });

  it('of an amount that the card then does not say: it is not deleted, whatever the station told', async () => {
    const { card, asked, confirms } = await purse();
    const told = asked.observed.map((one) => (one.app === 'e-wallet' ? { ...one, balance: 0 } : one));
    const token = await confirmationOf(rig.context, CALLER.station, { ...confirms, balance: 0 });
    const reply = await start(withToken({ ...asked, observed: told }, token));
    expect(await carry(card, rig.context, reply)).toMatchObject({
      result: 'refused',
      error: 'purse-not-empty',
      deleted: [],
    });
  });

  describe('without one', () => {
    it.each([
      ['confirmation-needed', 0],
      ['purse-not-empty', 1],
    ])('%s: a purse that says %i stays, and no command for it leaves', async (error, balance) => {
      const { asked } = await purse(balance);
      expect(outcomeOf(await start(asked))).toMatchObject({ result: 'refused', error, deleted: [] });
    });

    it('what else was wished is done', async () => {
      const { card } = rig.newCard();
      const wishes: Wish[] = [...DELETE, { app: 'identity', action: 'delete' }];
      const asked = unconfirmed(await rig.request(card, randomDigits(16), wishes));
      expect(await carry(card, rig.context, await start(asked))).toMatchObject({
        result: 'partial',
        error: 'confirmation-needed',
        deleted: ['identity'],
      });
    });

    it.each(['demo-scp03', 'demo-scp02'] as const)(
      'a purse of a %s card that its station says is gone stays: no card gives its package alone',
      async (type) => {
        const { card } = rig.newCard({ type, balances: { 'e-wallet': AMOUNT } });
        const account = randomDigits(16);
        await rig.issue(card, account, [{ app: 'identity', action: 'enable' }]);
        card.reset();
        const asked = saidGone(unconfirmed(await rig.request(card, account, DELETE)));
        const says = (apdu: string) => apdu.startsWith('00A4') && apdu.includes(WALLET);
        const reply = await start(asked);
        expect(await carry(inventing(card, says, '6A82'), rig.context, reply, CALLER, asked)).toMatchObject({
          result: 'refused',
          error: 'card-refused-command',
        });
        expect(card.image.instances.map(({ aid }) => aid)).toContain(WALLET);
      },
    );

    it('a purse that is said to be gone, after a deletion that was torn, is not deleted when it is there', async () => {
      const { card, asked, confirms } = await purse(0);
      const reply = await start(withToken(asked, await sign(confirms)));
      // The deletion is out, and nothing is heard of it.
      let batch = reply.batch;
      for (let seq = 1; batch !== undefined && !batch.commands.some(isDeletion); seq += 1) {
        const next = await rig.answer(reply.job, seq, await runBatch(card, batch));
        batch = 'batch' in next ? next.batch : undefined;
      }
      card.reset();
      const claimed = { ...saidGone(asked), requestId: newRequestId() };
      expect(await carry(card, rig.context, await start(claimed))).toMatchObject({
        result: 'refused',
        error: 'confirmation-needed',
        deleted: [],
      });
    });
  });
});

const DELETE: Wish[] = [{ app: 'e-wallet', action: 'delete' }];
const AMOUNT = 1_250;

/** What was observed of the purse, as a station tells it that says that it is gone. */
const saidGone = (asked: JobRequest): JobRequest => ({
  ...asked,
  observed: asked.observed.map((one) => (one.app === 'e-wallet' ? { app: one.app, state: 'missing' } : one)),
});

const isDeletion = ({ label }: { readonly label: { readonly step: string } }) => label.step === 'delete-app';
