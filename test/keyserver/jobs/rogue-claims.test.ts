/**
 * What a rogue station gets by claiming things of cards that it does not have: accounts, other stations' chances, and knowledge. Each story says
 * what it gets, and what an honest station then still does. (docs/security.md, "What an enrolled rogue station can do".)
 */
import { describe, expect, it } from 'vitest';
import { countUse, exceededCap, type Use } from '../../../app/keyserver/jobs/caps.ts';
import type { Limits } from '../../../app/keyserver/limits.ts';
import { together } from '../../../app/keyserver/store/transaction.ts';
import { issuerRig, newRequestId, randomDigits } from '../../support/issuer-rig.ts';
import type { AnswersRequest, Batch, JobContext, JobReply } from '../../support/jobs.ts';
import { answerStep, batchOf, HIGH_LIMITS, onEveryStore, refusal, startJob } from '../../support/jobs.ts';
import { advance, CALLER, ENABLE, issue, OTHER_CALLER, runBatch } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);
  /** The server at another time, with other limits. */
  const server = (milliseconds: number, limits: Partial<Limits> = {}): JobContext => ({
    ...rig.context,
    limits: { ...HIGH_LIMITS, ...limits },
    now: () => new Date(Date.now() + milliseconds),
  });
  /** A request with an opening for a card that may as well be made up: nothing of it is ever sent to one. */
  const claim = async (account = randomDigits(16)) => {
    const { card, identification } = rig.newCard();
    return { card, identification, account, asked: await rig.request(card, account, ENABLE, 'e-wallet') };
  };
  const bindings = (card: string) =>
    rig.context.store.selectFrom('bindings').selectAll().where('card', '=', card).orderBy('since').execute();

  describe('an account that a station asks for with an opening', () => {
    it('is kept from those that only name it as well, and at once the card’s that shows itself', async () => {
      const made = await Promise.all(Array.from({ length: 12 }, () => claim()));
      for (const { asked } of made) expect(await startJob(server(0), ROGUE, asked)).toHaveProperty('batch');
      const [first] = made;
      if (first === undefined) throw new Error('no claim');
      const { asked } = await claim(first.account);
      const named = await startJob(server(1_000), OTHER_CALLER, asked);
      const early = answerStep(
        server(1_000),
        OTHER_CALLER,
        named.job,
        1,
        invented(batchOf(named), '0A0B0C0D'),
      );
      expect((await refusal(early)).code).toBe('account-taken');
      for (const [at, { account, identification }] of made.entries()) {
        const { card } = rig.newCard();
        const when = server(at % 2 === 0 ? 2_000 : 2 * HOUR);
        expect((await issue(card, when, account, ENABLE)).result).toBe('complete');
        expect((await rig.record(identification)).account).toBe('');
      }
    });

    it('is free at once when the station says that nothing was sent', async () => {
      const { asked, account, identification } = await claim();
      const reply = await startJob(server(0), ROGUE, asked);
      const unsent = { apiLevel: 1 as const, cardEpoch: 0, answers: [], stoppedAt: 0, reached: false };
      await answerStep(server(0), ROGUE, reply.job, 1, { ...unsent, cardEvent: 'removed' });
      const mute = { apiLevel: 1 as const, cardEpoch: 1, answers: ['6A82'], stoppedAt: 0 };
      // Before the job is over the card is asked to show itself.
      await answerStep(server(0), ROGUE, reply.job, 2, mute);
      const end = await answerStep(server(0), ROGUE, reply.job, 3, mute);
      expect(end).toMatchObject({ outcome: { result: 'refused' } });
      expect(await bindings(identification)).not.toContainEqual(expect.objectContaining({ until: null }));
      expect((await issue(rig.newCard().card, server(0), account, ENABLE)).result).toBe('complete');
    });

    it('is not the rogue’s when the job goes on after another card got it', async () => {
      const { asked, account } = await claim();
      const reply = await startJob(server(0), ROGUE, asked);
      expect((await issue(rig.newCard().card, server(2 * HOUR), account, ENABLE)).result).toBe('complete');
      const late = answerStep(server(2 * HOUR), ROGUE, reply.job, 1, invented(batchOf(reply), '0A0B0C0D'));
      expect((await refusal(late)).code).toBe('account-taken');
    });
  });

  describe('an account whose card was torn', () => {
    it('is kept for a day once a key may be on the card, for that card; then another may have it', async () => {
      const { card, account, identification } = await claim();
      // Without an opening the card shows itself first: what it took counts.
      const asked = await rig.request(card, account, ENABLE);
      await advance(card, rig.context, await startJob(server(0), CALLER, asked), 2);
      const other = rig.newCard().card;
      expect((await refusal(issue(other, server(20 * HOUR), account, ENABLE))).code).toBe('account-taken');
      card.reset();
      const mine = issue(card, server(20 * HOUR), randomDigits(16), ENABLE);
      expect((await refusal(mine)).code).toBe('account-mismatch');
      expect((await issue(other, server(30 * HOUR), account, ENABLE)).result).toBe('complete');
      card.reset();
      expect((await refusal(issue(card, server(30 * HOUR), account, ENABLE))).code).toBe('account-taken');
      // A key of the account that went to another card is replaced like any other.
      const own = randomDigits(16);
      card.reset();
      expect((await issue(card, server(30 * HOUR), own, ENABLE)).result).toBe('complete');
      expect(await bindings(identification)).toMatchObject([
        { account, until: expect.any(String) },
        { account: own, until: null, reserved_until: null },
      ]);
    });

    it('is the card’s for good once it was issued, though that took two visits', async () => {
      const { card, asked, account, identification } = await claim();
      await advance(card, rig.context, await startJob(server(0), CALLER, asked), 2);
      card.reset();
      expect((await issue(card, server(2 * HOUR), account, ENABLE)).result).toBe('complete');
      expect(await bindings(identification)).toMatchObject([{ account, until: null, reserved_until: null }]);
      const late = issue(rig.newCard().card, server(90 * 24 * HOUR), account, ENABLE);
      expect((await refusal(late)).code).toBe('account-taken');
    });
  });

  describe('another station', () => {
    it('begins jobs on a card although a rogue one has used up its own for the day', async () => {
      const { card, asked, account } = await claim();
      const context = server(48 * HOUR, { jobsPerCardDay: 3, authenticationsPerCardDay: 3 });
      for (let job = 0; job < 3; job += 1)
        await startJob(context, ROGUE, { ...asked, requestId: newRequestId() }).catch(() => undefined);
      const more = startJob(context, ROGUE, { ...asked, requestId: newRequestId() });
      expect((await refusal(more)).code).toBe('too-many-attempts');
      const later = { ...context, now: () => new Date(context.now().getTime() + 300_000) };
      expect(await startJob(later, CALLER, await rig.request(card, account, ENABLE))).toHaveProperty('batch');
    });

    it('counts together with the others where the card showed that it was there, and only there', async () => {
      const context = server(96 * HOUR, { authenticationsPerCardDay: 2 });
      const card = randomDigits(16);
      const use = (station: string, proven: number): Use => ({
        card,
        station,
        jobs: 0,
        authentications: { sent: 1, proven },
      });
      const count = (one: Use) => together(context.store, (db) => countUse(db, context, one));
      for (const station of ['a', 'b', 'c']) await count(use(station, 0));
      expect(await exceededCap(context, use('d', 1))).toBeUndefined();
      for (const station of ['d', 'e']) await count(use(station, 1));
      expect(await exceededCap(context, use('f', 1))).toBe('proven-authentications-per-card-day');
      expect(await exceededCap(context, use('f', 0))).toBeUndefined();
    });
  });

  describe('refusals', () => {
    const probe = async (context: JobContext, account: string, caller = ROGUE) => {
      const { asked } = await claim(account);
      return (await refusal(startJob(context, caller, asked))).code;
    };

    it('are counted and on record, and after too many it is told no more which accounts there are', async () => {
      const context = server(10 * 24 * HOUR, { refusedJobsPerHour: 3 });
      const [taken, free] = [randomDigits(16), randomDigits(16)];
      await issue(rig.newCard().card, context, taken, ENABLE);
      for (let time = 0; time < 3; time += 1) expect(await probe(context, taken)).toBe('account-taken');
      expect(await probe(context, taken)).toBe('too-many-attempts');
      expect(await probe(context, free)).toBe('too-many-attempts');
      // Neither under another name at the same station, nor from another station under the same name.
      for (const caller of [
        { ...ROGUE, operator: 'another' },
        { ...ROGUE, station: 'elsewhere' },
      ])
        expect(await probe(context, taken, caller)).toBe('too-many-attempts');
      expect((await issue(rig.newCard().card, context, free, ENABLE)).result).toBe('complete');
      const rows = await rig.context.store
        .selectFrom('audit')
        .selectAll()
        .where('operator', '=', ROGUE.operator)
        .where('at', '>', new Date(context.now().getTime() - HOUR).toISOString())
        .execute();
      const refused = rows.filter((row) => row.kind === 'job-refused');
      expect(refused).toHaveLength(3);
      expect(refused.map((row) => JSON.parse(row.detail))).toContainEqual({ code: 'account-taken' });
      expect(rows.filter((row) => row.kind === 'limit').length).toBeGreaterThan(0);
      expect(JSON.stringify(rows)).not.toContain(taken);
    });

    it('asked for at once, twelve times, tell no more than the cap', async () => {
      const context = server(20 * 24 * HOUR, { refusedJobsPerHour: 3 });
      const taken = randomDigits(16);
      await issue(rig.newCard().card, context, taken, ENABLE);
      const codes = await Promise.all(Array.from({ length: 12 }, () => probe(context, taken)));
      expect(codes.filter((code) => code === 'account-taken')).toHaveLength(3);
      expect(codes.filter((code) => code === 'too-many-attempts')).toHaveLength(9);
    });
  });

  it('a whole job invented, answer by answer, binds nothing: the card never showed itself', async () => {
    const { asked, account, identification } = await claim();
    await carryInvented(server(0), await startJob(server(0), ROGUE, asked));
    expect((await rig.record(identification)).account).toBe('');
    expect((await issue(rig.newCard().card, server(0), account, ENABLE)).result).toBe('complete');
  });

  it('a card that is really there is bound once it has shown itself', async () => {
    const { card, asked, account, identification } = await claim();
    const reply = await startJob(server(0), CALLER, asked);
    expect(await bindings(identification)).toMatchObject([{ reserved_until: expect.any(String) }]);
    expect((await rig.record(identification)).account).toBe('');
    let batch: Batch | undefined = reply.batch;
    while (batch !== undefined) {
      const next = await answerStep(server(0), CALLER, reply.job, batch.seq, await runBatch(card, batch));
      batch = 'batch' in next ? next.batch : undefined;
    }
    expect((await rig.record(identification)).account).toBe(account);
  });
});

const ROGUE = { station: 'rogue-station', operator: 'rogue-clerk' };
const HOUR = 3600_000;

/** Answers a whole batch with 9000, and one challenge of its choice. */
const invented = (batch: Batch, challenge: string): AnswersRequest => ({
  apiLevel: 1,
  cardEpoch: batch.cardEpoch,
  answers: batch.commands.map(({ label, expect: wanted }) =>
    label.step === 'challenge' ? `${challenge}9000` : `${wanted?.value ?? ''}9000`,
  ),
});

async function carryInvented(context: JobContext, reply: JobReply): Promise<void> {
  let batch: Batch | undefined = reply.batch;
  for (let step = 1; batch !== undefined; step += 1) {
    const challenge = `0000000${step}`.slice(-8);
    const next = await answerStep(context, ROGUE, reply.job, batch.seq, invented(batch, challenge));
    batch = 'batch' in next ? next.batch : undefined;
  }
}
