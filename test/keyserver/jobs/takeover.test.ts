/** A card changes hands: who may take it over, what late answers may do, and what the next job knows of the last. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { startJob } from '../../../app/keyserver/jobs/start-job.ts';
import { readCardRecord } from '../../../app/keyserver/records/card-record.ts';
import { advance, outcomeOf, storeText, triesLeft, WALLET } from '../../support/issuer-steps.ts';
import type { JobContext, JobReply, Wish } from '../../support/jobs.ts';
import { answerStep, batchOf, issuerRig, onEveryStore, randomDigits, refusal } from '../../support/jobs.ts';
import { CALLER, carry, ENABLE, issue, OTHER_CALLER, request, runBatch } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);
  /** The server's clock, moved by the tests. */
  let later = 0;
  let context: JobContext;
  beforeAll(async () => {
    context = { ...rig.context, now: () => new Date(Date.now() + later) };
  });

  async function begin(wishes: Wish[] = ENABLE, opening: string | undefined = 'e-wallet') {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const reply = await startJob(context, CALLER, await request(card, context, account, wishes, opening));
    return { card, identification, account, reply };
  }

  const lateAnswers = (job: string) =>
    context.store.selectFrom('late_answers').selectAll().where('job', '=', job).execute();

  describe('while another station has the card', () => {
    it('it is in use, and who, where and since when is said', async () => {
      const { card, account } = await begin();
      const before = await storeText(context);
      const asked = await request(card, context, account, ENABLE);
      expect(await refusal(startJob(context, OTHER_CALLER, asked))).toEqual({
        code: 'card-in-use',
        details: {
          station: 'test-station',
          operator: 'test-clerk',
          reader: 'virtual',
          since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        },
      });
      expect(await storeText(context)).toBe(before);
    });

    it('a step makes the lease last longer, once the card has shown itself', async () => {
      const { card, account } = await begin();
      later += 31_000;
      const channel = await request(card, context, account, [{ app: 'campus-meal', action: 'enable' }]);
      await advance(card, context, await startJob(context, CALLER, channel), 1);
      later += 50_000;
      const asked = await request(card, context, account, ENABLE);
      expect((await refusal(startJob(context, OTHER_CALLER, asked))).code).toBe('card-in-use');
      later += 11_000;
      expect(await startJob(context, OTHER_CALLER, asked)).toMatchObject({ generation: 3 });
    });

    it('a station that has not shown the card keeps it for half a minute, however often it begins', async () => {
      const { card, account, reply } = await begin();
      const unsent = { apiLevel: 1 as const, cardEpoch: 0, answers: [], stoppedAt: 0, reached: false };
      const mute = { apiLevel: 1 as const, cardEpoch: 1, answers: ['6A82'], stoppedAt: 0 };
      const asked = await request(card, context, account, ENABLE);
      const again = () => startJob(context, CALLER, { ...asked, requestId: randomUUID() });
      later += 20_000;
      await again();
      later += 9_000;
      expect((await refusal(startJob(context, OTHER_CALLER, asked))).code).toBe('card-in-use');
      await again();
      later += 2_000;
      await again();
      // Nor by jobs that it ends at once.
      let { job, batch } = await again();
      let seq = 1;
      while (batch !== undefined) {
        const said = seq === 1 ? { ...unsent, cardEvent: 'removed' as const } : mute;
        const next = await answerStep(context, CALLER, job, seq, said);
        batch = 'batch' in next ? next.batch : undefined;
        seq += 1;
      }
      ({ job } = await again());
      expect(job).not.toBe(reply.job);
      expect(await issue(card, context, account, ENABLE, undefined, OTHER_CALLER)).toMatchObject({
        result: 'complete',
      });
      // Who has shown it keeps it as ever.
      expect(await again()).toHaveProperty('batch');
    });

    it('a station that comes again with a card that it did not show has ten seconds to show it, once others could have had the card', async () => {
      const { card, account } = await begin();
      const asked = await request(card, context, account, ENABLE);
      const again = (caller: typeof CALLER) =>
        startJob(context, caller, { ...asked, requestId: randomUUID() });
      later += 59_000;
      await again(CALLER);
      later += 2_000;
      await again(CALLER);
      later += 9_000;
      expect((await refusal(again(OTHER_CALLER))).code).toBe('card-in-use');
      later += 2_000;
      expect(await again(OTHER_CALLER)).toHaveProperty('batch');
    });

    it('its own station takes it over at once, in any reader', async () => {
      const { card, account, reply } = await begin();
      const asked = { ...(await request(card, context, account, ENABLE)), reader: 'the other reader' };
      const again = await startJob(context, CALLER, asked);
      expect(again).toMatchObject({ generation: 2 });
      expect(again.job).not.toBe(reply.job);
      expect((await carry(card, context, again)).result).toBe('complete');
    });

    it.each([
      [
        'ended',
        async (card: Parameters<typeof carry>[0], reply: JobReply) =>
          void (await carry(card, context, reply)),
      ],
      ['was superseded by one with nothing to do', async () => undefined],
    ] as const)('a lease is over when its job %s', async (_name, finish) => {
      const { card, account, reply } = await begin();
      await finish(card, reply);
      const nothing: Wish[] = [{ app: 'campus-meal', action: 'delete' }];
      const idle = await startJob(context, CALLER, await request(card, context, account, nothing));
      expect(outcomeOf(idle)).toMatchObject({ result: 'complete', trips: 1, plannedTrips: 1, deleted: [] });
      expect((await issue(card, context, account, ENABLE, undefined, OTHER_CALLER)).result).toBe('complete');
    });
  });

  describe('late answers of a job that lost its card', () => {
    it('go to its log, change nothing else, and get no batch, at whatever step', async () => {
      for (let step = 0; step < 4; step += 1) {
        const { card, account, identification, reply } = await begin();
        const out = await advance(card, context, reply, step);
        if (out === undefined) throw new Error('the job ended too early');
        const report = await runBatch(card, out);
        later += 61_000;
        const newer = await startJob(context, OTHER_CALLER, await request(card, context, account, ENABLE));
        const untouched = async () => {
          const { jobs: _jobs, ...record } = await readCardRecord(context, identification);
          const keys = await context.store
            .selectFrom('card_keys')
            .selectAll()
            .where('card', '=', identification)
            .execute();
          const leases = await context.store
            .selectFrom('leases')
            .selectAll()
            .where('card', '=', identification)
            .execute();
          const job = await context.store
            .selectFrom('jobs')
            .selectAll()
            .where('id', '=', newer.job)
            .execute();
          return JSON.stringify([record, keys, leases, job]);
        };
        const before = await untouched();
        for (let twice = 0; twice < 2; twice += 1) {
          const late = answerStep(context, CALLER, reply.job, out.seq, report);
          expect((await refusal(late)).code).toBe('job-superseded');
        }
        expect(await lateAnswers(reply.job)).toMatchObject([
          { seq: out.seq, generation: 1, sws: JSON.stringify(report.answers.map((one) => one.slice(-4))) },
        ]);
        expect(await untouched(), `late at step ${step}`).toBe(before);
        expect((await carry(card, context, newer, OTHER_CALLER)).result).toBe('complete');
      }
    });

    it('that were answered before get no stored batch either', async () => {
      const { card, account, reply } = await begin();
      const first = batchOf(reply);
      const report = await runBatch(card, first);
      await answerStep(context, CALLER, reply.job, 1, report);
      const asked = await request(card, context, account, ENABLE);
      await startJob(context, CALLER, asked);
      expect((await refusal(answerStep(context, CALLER, reply.job, 1, report))).code).toBe('job-superseded');
      expect(await lateAnswers(reply.job)).toEqual([]);
      const sealed = await context.store
        .selectFrom('job_steps')
        .select('sealed')
        .where('job', '=', reply.job)
        .execute();
      expect(sealed.every((step) => step.sealed === null)).toBe(true);
    });

    it('nor does its request, when it is repeated', async () => {
      const { card, identification } = rig.newCard();
      const account = randomDigits(16);
      const asked = await request(card, context, account, ENABLE);
      await startJob(context, CALLER, asked);
      await startJob(context, CALLER, await request(card, context, account, ENABLE));
      expect((await refusal(startJob(context, CALLER, asked))).code).toBe('job-superseded');
      expect((await readCardRecord(context, identification)).jobs).toHaveLength(2);
    });

    it('of steps that never were leave no rows', async () => {
      const { card, account, reply } = await begin();
      const report = await runBatch(card, batchOf(reply));
      await startJob(context, CALLER, await request(card, context, account, ENABLE));
      for (const seq of [2, 3, 50, 99_999]) {
        expect((await refusal(answerStep(context, CALLER, reply.job, seq, report))).code).toBe(
          'job-superseded',
        );
      }
      expect(await lateAnswers(reply.job)).toEqual([]);
    });
  });

  /** Every batch of a story, cut off at each command, by a station that is never heard of again. */
  describe('a station that is lost for good leaves the record right for the next one', () => {
    const stories: [string, Wish[], string | undefined, number][] = [
      ['enabling', ENABLE, 'e-wallet', 4],
      ['loading and enabling', [{ app: 'campus-meal', action: 'enable' }], undefined, 5],
      ['deleting', [{ app: 'transit', action: 'delete' }], undefined, 1],
    ];
    it.each(stories)(
      '%s: whether the batch reached the card whole, in part or not at all',
      async (_name, wishes, opening, steps) => {
        for (let step = 0; step < steps; step += 1) {
          for (const part of ['nothing', 'first', 'all but the last', 'all'] as const) {
            const { card, account, identification, reply } = await begin(wishes, opening);
            const out = await advance(card, context, reply, step);
            if (out === undefined) throw new Error('the job ended too early');
            const count = {
              nothing: 0,
              first: 1,
              'all but the last': out.commands.length - 1,
              all: out.commands.length,
            };
            await runBatch(card, { ...out, commands: out.commands.slice(0, count[part]) });
            card.reset();
            later += 61_000;
            const what = `${part} of batch ${step + 1}`;
            const outcome = await issue(card, context, account, wishes, opening, OTHER_CALLER);
            expect(outcome.result, what).toBe('complete');
            const record = await readCardRecord(context, identification);
            const app = record.apps.find((one) => one.app === wishes[0]?.app);
            expect(app, what).toMatchObject({
              state: wishes[0]?.action === 'delete' ? 'missing' : 'enabled',
              inDoubt: false,
            });
            expect(record.jobs.map((job) => job.result)).toEqual(['superseded', 'complete']);
            // At most one wrong authentication, and the right one restored the counter.
            const wrong = record.jobs.flatMap((job) => job.steps).filter((one) => one.sw.startsWith('63C'));
            expect(wrong.length, what).toBeLessThanOrEqual(1);
            if (wishes === ENABLE) expect(triesLeft(card, WALLET), what).toBe(3);
          }
        }
      },
    );
  });
});
