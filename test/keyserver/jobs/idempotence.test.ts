/** Requests repeated, at once, late, out of order: each changes the store once or not at all. */
import { describe, expect, it } from 'vitest';
import { randomDigits } from '../../support/issuer-rig.ts';
import { outcomeOf, refusal, storeText } from '../../support/issuer-steps.ts';
import type { AnswersRequest, JobContext, StepReply, Wish } from '../../support/jobs.ts';
import { answerStep, batchOf, issuerRig, newRequestId, onEveryStore, startJob } from '../../support/jobs.ts';
import { advance, CALLER, ENABLE, OTHER_CALLER, runBatch } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);

  async function begin(wishes: Wish[] = ENABLE) {
    const { card, identification } = rig.newCard();
    const opening = wishes[0]?.app === 'e-wallet' ? 'e-wallet' : undefined;
    const asked = await rig.request(card, randomDigits(16), wishes, opening);
    return { card, identification, asked, reply: await rig.start(asked) };
  }

  describe('POST /v1/jobs again', () => {
    it('gets the same reply and changes nothing', async () => {
      const { asked, reply } = await begin();
      const before = await storeText(rig.context);
      expect(await rig.start(structuredClone(asked))).toEqual(reply);
      expect(await storeText(rig.context)).toBe(before);
    });

    it('gets the same reply whatever the order of its members', async () => {
      const { asked, reply } = await begin();
      const turned = Object.fromEntries(Object.entries(asked).reverse());
      expect(await rig.start({ ...asked, ...turned })).toEqual(reply);
    });

    it('given up by its station gets the same reply where it arrived, and begins nothing where it did not', async () => {
      const { asked, reply } = await begin();
      expect(await rig.start({ ...asked, givenUp: true })).toEqual(reply);
      const { card } = rig.newCard();
      const late = await rig.request(card, randomDigits(16), ENABLE, 'e-wallet');
      const before = await storeText(rig.context);
      expect((await refusal(rig.start({ ...late, givenUp: true }))).code).toBe('not-found');
      expect(await storeText(rig.context)).toBe(before);
    });

    it('five times at once makes one job', async () => {
      const { card, identification } = rig.newCard();
      const asked = await rig.request(card, randomDigits(16), ENABLE, 'e-wallet');
      const replies = await Promise.all(Array.from({ length: 5 }, () => rig.start(asked)));
      for (const one of replies) expect(one).toEqual(replies[0]);
      expect((await rig.record(identification)).jobs).toHaveLength(1);
    });

    it.each([
      ['another body', CALLER, { reader: 'another' }],
      ['another station', OTHER_CALLER, {}],
    ] as const)('with %s is a conflict', async (_name, caller, change) => {
      const { asked } = await begin();
      const before = await storeText(rig.context);
      expect(await refusal(startJob(rig.context, caller, { ...asked, ...change }))).toMatchObject({
        code: 'request-conflict',
      });
      expect(await storeText(rig.context)).toBe(before);
    });

    it('after the job went on says where it stands', async () => {
      const { card, asked, reply } = await begin();
      await advance(card, rig.context, reply, 2);
      const before = await storeText(rig.context);
      expect(await refusal(rig.start(asked))).toEqual({
        code: 'step-conflict',
        details: { job: reply.job, seq: 3 },
      });
      expect(await storeText(rig.context)).toBe(before);
    });
  });

  describe('two jobs for one card at once', () => {
    it('from two stations: one gets it, the other is told who has it', async () => {
      const { card, identification } = rig.newCard();
      const account = randomDigits(16);
      const [one, two] = [await rig.request(card, account, ENABLE), await rig.request(card, account, ENABLE)];
      const results = await Promise.allSettled([rig.start(one), startJob(rig.context, OTHER_CALLER, two)]);
      expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
      const rejected = results.find((result) => result.status === 'rejected');
      expect(rejected?.reason).toMatchObject({ code: 'card-in-use', details: { reader: 'virtual' } });
      expect((await rig.record(identification)).jobs).toHaveLength(1);
    });

    it('from one station: the later supersedes the earlier, generations differ', async () => {
      const { card, identification } = rig.newCard();
      const account = randomDigits(16);
      const asked = await Promise.all([1, 2, 3].map(() => rig.request(card, account, ENABLE)));
      const replies = await Promise.all(asked.map((one) => rig.start(one)));
      expect(replies.map((one) => one.generation).sort()).toEqual([1, 2, 3]);
      const { jobs } = await rig.record(identification);
      expect(jobs.map((job) => job.result)).toEqual(['superseded', 'superseded', null]);
    });

    it('a job that starts while a step of the older one is taken in never loses what that step may have done', async () => {
      const { card, identification, asked, reply } = await begin();
      const batch = batchOf(reply);
      const report = await runBatch(card, batch);
      // Between the newer job's reading and its commit the older one's step sends the maintenance key.
      const context = whileSealing(() => rig.answer(reply.job, batch.seq, report));
      const { opening } = await rig.request(card, asked.account, ENABLE, 'e-wallet');
      if (opening === undefined) throw new Error('no opening');
      const again = { ...asked, requestId: newRequestId(), opening };
      expect(await startJob(context, CALLER, again)).toMatchObject({ generation: 2 });
      const slot = await rig.context.store
        .selectFrom('card_keys')
        .select('candidates')
        .where('card', '=', identification)
        .where('app', '=', 'e-wallet')
        .where('slot', '=', 'mtk')
        .executeTakeFirstOrThrow();
      expect(JSON.parse(slot.candidates)).toMatchObject([{ origin: 'issuer' }, { origin: 'factory' }]);
    });

    it('with one request id for two cards: the later is a conflict, whenever it comes', async () => {
      const [one, two] = [rig.newCard(), rig.newCard()];
      const first = await rig.request(one.card, randomDigits(16), ENABLE);
      const second = {
        ...(await rig.request(two.card, randomDigits(16), ENABLE)),
        requestId: first.requestId,
      };
      const context = whileSealing(() => rig.start(second));
      expect((await refusal(startJob(context, CALLER, first))).code).toBe('request-conflict');
    });

    /** The context of a request that is overtaken once: `meanwhile` happens when everything was read and nothing committed. */
    function whileSealing(meanwhile: () => Promise<unknown>): JobContext {
      let done = false;
      const { vault } = rig.context;
      const seal: typeof vault.seal = async (request) => {
        if (!done) {
          done = true;
          await meanwhile();
        }
        return vault.seal(request);
      };
      return { ...rig.context, vault: { ...vault, seal } };
    }
  });

  describe('POST answers again', () => {
    it('at every step gets the same reply and changes nothing', async () => {
      const { card, reply } = await begin();
      let batch = batchOf(reply);
      for (let trips = 1; ; trips += 1) {
        const report = await runBatch(card, batch);
        const next: StepReply = await rig.answer(reply.job, batch.seq, report);
        const before = await storeText(rig.context);
        for (let again = 0; again < 2; again += 1) {
          expect(await rig.answer(reply.job, batch.seq, report)).toEqual(next);
        }
        expect(await storeText(rig.context)).toBe(before);
        if ('outcome' in next) {
          expect(next.outcome).toMatchObject({ result: 'complete', trips: 5 });
          expect(trips).toBe(4);
          return;
        }
        batch = next.batch;
      }
    });

    it('four times at once takes one step', async () => {
      const { card, reply } = await begin();
      const batch = batchOf(reply);
      const report = await runBatch(card, batch);
      const replies = await Promise.all([1, 2, 3, 4].map(() => rig.answer(reply.job, batch.seq, report)));
      for (const one of replies) expect(one).toEqual(replies[0]);
      const steps = await rig.context.store
        .selectFrom('job_steps')
        .select('seq')
        .where('job', '=', reply.job)
        .orderBy('seq')
        .execute();
      expect(steps.map((step) => step.seq)).toEqual([0, 1]);
    });

    it('two different reports on one step at once: one is taken, the other is a conflict', async () => {
      const { card, reply } = await begin();
      const batch = batchOf(reply);
      const report = await runBatch(card, batch);
      const other: AnswersRequest = {
        apiLevel: 1,
        cardEpoch: 1,
        answers: [],
        stoppedAt: 0,
        reached: false,
        cardEvent: 'removed',
      };
      const results = await Promise.allSettled(
        [report, other].map((one) => rig.answer(reply.job, batch.seq, one)),
      );
      expect(results.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(results.find((one) => one.status === 'rejected')?.reason).toMatchObject({
        code: 'step-conflict',
      });
    });

    it('other answers, an older or a future step: a conflict with seq and epoch, and nothing changes', async () => {
      const { card, reply } = await begin();
      const first = batchOf(reply);
      const report = await runBatch(card, first);
      const second = await rig.answer(reply.job, 1, report);
      await rig.answer(reply.job, 2, await runBatch(card, batchOf(second)));
      const before = await storeText(rig.context);
      const conflict = { code: 'step-conflict', details: { seq: 3, cardEpoch: 0 } };
      const changed = { ...report, answers: report.answers.map(() => '6F00').slice(0, 1) };
      for (const [seq, body] of [
        [1, report],
        [1, changed],
        [2, report],
        [4, report],
        [99_999, report],
      ] as const) {
        expect(await refusal(rig.answer(reply.job, seq, body)), `seq ${seq}`).toEqual(conflict);
      }
      expect(await storeText(rig.context)).toBe(before);
    });

    it('a report that contradicts its batch is refused, and the right one is taken afterwards', async () => {
      const { card, reply } = await begin();
      const batch = batchOf(reply);
      const report = await runBatch(card, batch);
      const before = await storeText(rig.context);
      const tooMany = { ...report, answers: [...report.answers, '9000'] };
      expect(await refusal(rig.answer(reply.job, 1, tooMany))).toMatchObject({
        code: 'bad-request',
      });
      expect(await storeText(rig.context)).toBe(before);
      expect(await rig.answer(reply.job, 1, report)).toHaveProperty('batch');
    });

    it('of another station is a job that does not exist', async () => {
      const { card, reply } = await begin();
      const report = await runBatch(card, batchOf(reply));
      const before = await storeText(rig.context);
      expect(await refusal(answerStep(rig.context, OTHER_CALLER, reply.job, 1, report))).toMatchObject({
        code: 'not-found',
      });
      expect(await storeText(rig.context)).toBe(before);
    });
  });

  describe('what stays in the store of a job', () => {
    it('is no sealed batch once it is answered, and none at its end', async () => {
      const { card, reply } = await begin([{ app: 'campus-meal', action: 'enable' }]);
      const sealed = async () =>
        (
          await rig.context.store
            .selectFrom('job_steps')
            .selectAll()
            .where('job', '=', reply.job)
            .orderBy('seq')
            .execute()
        ).map((step) => step.sealed !== null);
      expect(await sealed()).toEqual([true]);
      await advance(card, rig.context, reply, 2);
      expect(await sealed()).toEqual([false, false, true]);
      const state = async () =>
        (
          await rig.context.store
            .selectFrom('jobs')
            .select('state')
            .where('id', '=', reply.job)
            .executeTakeFirstOrThrow()
        ).state.length;
      const during = await state();
      // The load's ninety commands are no longer out: the state does not grow with the steps.
      expect(during).toBeLessThan(4_000);
      expect(
        await rig.context.store.selectFrom('leases').selectAll().where('job', '=', reply.job).execute(),
      ).toHaveLength(1);
    });

    it('after the end: nothing sealed, no lease, no command that is out', async () => {
      const { card, reply, identification } = await begin();
      let batch: ReturnType<typeof batchOf> | undefined = batchOf(reply);
      let last: StepReply | undefined;
      while (batch !== undefined) {
        last = await rig.answer(reply.job, batch.seq, await runBatch(card, batch));
        batch = 'batch' in last ? last.batch : undefined;
      }
      if (last === undefined) throw new Error('no reply');
      expect(outcomeOf(last).result).toBe('complete');
      const steps = await rig.context.store
        .selectFrom('job_steps')
        .selectAll()
        .where('job', '=', reply.job)
        .execute();
      expect(steps.every((step) => step.sealed === null)).toBe(true);
      expect(
        await rig.context.store.selectFrom('leases').selectAll().where('card', '=', identification).execute(),
      ).toEqual([]);
      const job = await rig.context.store
        .selectFrom('jobs')
        .selectAll()
        .where('id', '=', reply.job)
        .executeTakeFirstOrThrow();
      expect(JSON.parse(job.state)).toMatchObject({ sent: [] });
    });
  });
});
