/** What a rogue station may make the server do at most, and that its excess is refused and on record. */

import { describe, expect, it } from 'vitest';
import { signIn } from '../../../app/keyserver/access/sessions.ts';
import { Throttle } from '../../../app/keyserver/access/throttle.ts';
import { startJob } from '../../../app/keyserver/jobs/start-job.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../app/keyserver/limits.ts';
import { readCardRecord } from '../../../app/keyserver/records/card-record.ts';
import type { KaikaError } from '../../../app/protocol/errors.ts';
import { issuerRig, newRequestId, randomDigits } from '../../support/issuer-rig.ts';
import { outcomeOf, refusal } from '../../support/issuer-steps.ts';
import type { JobContext, StepReply } from '../../support/jobs.ts';
import { answerStep, batchOf, HIGH_LIMITS, onEveryStore, writeOperator } from '../../support/jobs.ts';
import { CALLER, carry, ENABLE, issue, OTHER_CALLER, request, runBatch } from '../../support/visits.ts';

const GRASPING = { station: 'grasping', operator: 'grasping-clerk' };

onEveryStore((kind) => {
  const rig = issuerRig(kind);
  /** Days further on, so that no test finds the counts of another. */
  let day = 0;
  const limited = (limits: Partial<Limits>): JobContext => {
    day += 2;
    const shift = day * 24 * 3600 * 1000;
    return { ...rig.context, limits: { ...HIGH_LIMITS, ...limits }, now: () => new Date(Date.now() + shift) };
  };
  const audits = async (context: JobContext) =>
    (
      await context.store
        .selectFrom('audit')
        .selectAll()
        .where('at', '>', new Date(context.now().getTime() - 3600_000).toISOString())
        .execute()
    ).map(({ kind: what, station, card, detail }) => ({ what, station, card, detail: JSON.parse(detail) }));

  it('jobs of one card in a day: the next is refused, the first excess audited, and another card is served', async () => {
    const context = limited({ jobsPerCardDay: 3 });
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const ask = async () => startJob(context, CALLER, await request(card, context, account, ENABLE));
    for (let job = 0; job < 3; job += 1) await ask();
    for (let job = 0; job < 2; job += 1) expect((await refusal(ask())).code).toBe('too-many-attempts');
    expect(await audits(context)).toEqual([
      { what: 'limit', station: 'test-station', card: identification, detail: { cap: 'jobs-per-card-day' } },
    ]);
    expect((await readCardRecord(context, identification)).jobs).toHaveLength(3);
    expect((await issue(rig.newCard().card, context, randomDigits(16), ENABLE)).result).toBe('complete');
    const tomorrow = { ...context, now: () => new Date(context.now().getTime() + 24 * 3600 * 1000) };
    const asked = await request(card, context, account, ENABLE);
    expect(await startJob(tomorrow, CALLER, asked)).toHaveProperty('batch');
  });

  it('jobs of one station in an hour, whatever the card; another station goes on', async () => {
    const context = limited({ jobsPerStationHour: 2 });
    for (let job = 0; job < 2; job += 1) await issue(rig.newCard().card, context, randomDigits(16), ENABLE);
    const third = issue(rig.newCard().card, context, randomDigits(16), ENABLE);
    expect((await refusal(third)).code).toBe('too-many-attempts');
    const other = await issue(rig.newCard().card, context, randomDigits(16), ENABLE, undefined, OTHER_CALLER);
    expect(other.result).toBe('complete');
  });

  it('the cap holds however many ask at once', async () => {
    const context = limited({ jobsPerStationHour: 3 });
    const asked = await Promise.all(
      Array.from({ length: 8 }, () => request(rig.newCard().card, context, randomDigits(16), ENABLE)),
    );
    const results = await Promise.allSettled(asked.map((one) => startJob(context, CALLER, one)));
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(3);
    const count = await context.store
      .selectFrom('jobs')
      .select('id')
      .where('started', '>', new Date(context.now().getTime() - 3600_000).toISOString())
      .execute();
    expect(count.length).toBeLessThanOrEqual(3);
  });

  it('a station that begins again and again gets so many authentications and no more, and the answers are on record', async () => {
    const context = limited({ authenticationsPerCardDay: 4 });
    const { card, identification } = rig.newCard();
    const reply = await startJob(
      context,
      CALLER,
      await request(card, context, randomDigits(16), ENABLE, 'e-wallet'),
    );
    let batch = batchOf(reply);
    let authentications = 0;
    let last: StepReply | undefined;
    for (let step = 0; step < 40; step += 1) {
      authentications += batch.commands.filter(({ label }) => label.step === 'authenticate').length;
      // It holds back every authentication and says that the card was pulled before.
      const at = batch.commands.findIndex(({ label }) => label.step === 'authenticate');
      const report =
        at === -1
          ? await runBatch(card, batch)
          : {
              apiLevel: 1 as const,
              cardEpoch: batch.cardEpoch + 1,
              answers: [],
              stoppedAt: 0,
              reached: false,
              cardEvent: 'removed' as const,
            };
      last = await answerStep(context, CALLER, reply.job, batch.seq, report);
      if ('outcome' in last) break;
      batch = last.batch;
    }
    if (last === undefined) throw new Error('no reply');
    expect(outcomeOf(last)).toMatchObject({ result: 'refused', error: 'too-many-attempts' });
    expect(authentications).toBe(4);
    expect(await audits(context)).toMatchObject([
      { card: identification, detail: { cap: 'authentications-per-card-day' } },
    ]);
    const { jobs } = await readCardRecord(context, identification);
    expect(jobs).toMatchObject([{ result: 'refused' }]);
  });

  it('cards in hand at once: one too many waits until another is done', async () => {
    const context = limited({ jobsAtOnce: 1 });
    const one = rig.newCard();
    const two = rig.newCard();
    const first = await startJob(context, CALLER, await request(one.card, context, randomDigits(16), ENABLE));
    const asked = await request(two.card, context, randomDigits(16), ENABLE);
    expect((await refusal(startJob(context, CALLER, asked))).code).toBe('server-busy');
    expect((await carry(one.card, context, first)).result).toBe('complete');
    expect(await startJob(context, CALLER, { ...asked, requestId: newRequestId() })).toHaveProperty('batch');
  });

  it('cards in hand at once, however many are begun at once', async () => {
    const context = limited({ jobsAtOnce: 3 });
    const asked = await Promise.all(
      Array.from({ length: 12 }, () => request(rig.newCard().card, context, randomDigits(16), ENABLE)),
    );
    const results = await Promise.allSettled(asked.map((one) => startJob(context, CALLER, one)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    for (const one of results)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'server-busy' });
    const held = await context.store
      .selectFrom('leases')
      .select('card')
      .where('station', '=', CALLER.station)
      .where('expires', '>', context.now().toISOString())
      .execute();
    expect(held).toHaveLength(3);
  });

  it('cards in hand at once, those too whose lease had run out when their job went on', async () => {
    let later = 0;
    const fixed = limited({ jobsAtOnce: 2 });
    const context = { ...fixed, now: () => new Date(fixed.now().getTime() + later) };
    const load = [{ app: 'campus-meal', action: 'enable' as const }];
    const begin = async () => {
      const { card } = rig.newCard();
      const asked = await request(card, context, randomDigits(16), load);
      const { job, batch } = await startJob(context, GRASPING, asked);
      return { card, job, batch };
    };
    type Begun = Awaited<ReturnType<typeof begin>>;
    const goOn = async ({ card, job, batch }: Begun): Promise<Begun> => {
      if (batch === undefined) throw new Error('the job is over');
      const next = await answerStep(context, GRASPING, job, batch.seq, await runBatch(card, batch));
      return { card, job, batch: 'batch' in next ? next.batch : undefined };
    };
    const held = async () => {
      const rows = await context.store
        .selectFrom('leases')
        .select('job')
        .where('station', '=', GRASPING.station)
        .where('expires', '>', context.now().toISOString())
        .execute();
      return rows.map(({ job }) => job).sort();
    };
    const jobs = (...begun: readonly Begun[]) => begun.map(({ job }) => job).sort();
    let [one, two] = [await begin(), await begin()];
    later += 61_000;
    let [three, four] = [await begin(), await begin()];
    [three, four, one, two] = [await goOn(three), await goOn(four), await goOn(one), await goOn(two)];
    expect(await held()).toEqual(jobs(three, four));
    while (three.batch !== undefined) three = await goOn(three);
    // There is room again: whose job goes on keeps its card.
    one = await goOn(one);
    expect(await held()).toEqual(jobs(one, four));
  });

  it('wrong secrets, however many come at once: so many are looked at, and the right one is not counted', async () => {
    const { store } = rig.context;
    await writeOperator(store, { id: 'wang', name: 'Wang', secret: 'the right secret' });
    const now = new Date('2032-05-05T10:01:00Z');
    const limits = { ...DEFAULT_LIMITS, signInFailures: 3 };
    const enter = (secret: string) =>
      signIn(store, { station: 'burst' }, { apiLevel: 1, operator: 'wang', secret }, now, limits);
    for (let time = 0; time < 15; time += 1) expect(await enter('the right secret')).toHaveProperty('token');
    const tries = await Promise.allSettled(Array.from({ length: 12 }, (_, at) => enter(`wrong ${at}`)));
    const codes = tries.map((one) => (one.status === 'rejected' ? one.reason.code : 'let in'));
    expect(codes.filter((code) => code === 'sign-in-failed')).toHaveLength(3);
    expect(codes.filter((code) => code === 'sign-in-wait')).toHaveLength(9);
    const audited = await store.selectFrom('audit').selectAll().where('at', '=', now.toISOString()).execute();
    expect(audited.map(({ detail }): unknown => JSON.parse(detail))).toEqual([
      { cap: 'sign-in-here', failed: 3 },
    ]);
  });

  it('wrong secrets: after a few not even the right one is looked at, for longer and longer', async () => {
    const { store } = rig.context;
    await writeOperator(store, { id: 'li', name: 'Li', secret: 'the right secret' });
    const now = new Date('2031-05-05T10:01:00Z');
    const limits = { ...DEFAULT_LIMITS, signInFailures: 3 };
    let later = 0;
    const enter = (secret: string, station = 'here') =>
      signIn(
        store,
        { station },
        { apiLevel: 1, operator: 'li', secret },
        new Date(now.getTime() + later * 1000),
        limits,
      ).catch(({ code, details }: KaikaError) => ({ code, ...details }));
    for (const left of [2, 1, 0])
      expect(await enter('a wrong secret')).toEqual({ code: 'sign-in-failed', left, minutes: 1 });
    expect(await enter('the right secret')).toEqual({ code: 'sign-in-wait', minutes: 1 });
    expect(await enter('the right secret', 'elsewhere')).toHaveProperty('token');
    // Each further one costs more, and an hour without one ends it.
    for (const minutes of [1, 2, 4, 8, 15, 15]) {
      later += minutes * 60 - 1;
      expect(await enter('the right secret')).toEqual({ code: 'sign-in-wait', minutes: 1 });
      later += 1;
      expect(await enter('a wrong secret')).toMatchObject({ code: 'sign-in-failed', left: 0 });
      const next = minutes >= 8 ? 15 : 2 * minutes;
      expect(await enter('the right secret')).toEqual({ code: 'sign-in-wait', minutes: next });
    }
    later += 3_601;
    expect(await enter('a wrong secret')).toEqual({ code: 'sign-in-failed', left: 2, minutes: 1 });
    expect(await enter('the right secret')).toHaveProperty('token');
    expect(await enter('a wrong secret')).toEqual({ code: 'sign-in-failed', left: 2, minutes: 1 });
    const audited = await store.selectFrom('audit').selectAll().where('at', '=', now.toISOString()).execute();
    expect(audited).toMatchObject([{ kind: 'limit', station: 'here' }]);
    expect(JSON.stringify(audited)).not.toContain('secret');
  });
});

describe('requests per second', () => {
  it('of one station: twice as many at once, then as many as refill', () => {
    let now = 0;
    const throttle = new Throttle(10, () => now);
    for (let time = 0; time < 20; time += 1) throttle.take('a');
    expect(() => throttle.take('a')).toThrow('asks too often');
    throttle.take('b');
    now = 300;
    for (let time = 0; time < 3; time += 1) throttle.take('a');
    expect(() => throttle.take('a')).toThrow('asks too often');
  });
});
