/** Two server processes on one store and one token: any of them takes the next step, and only one takes each. */
import { beforeAll, expect, it } from 'vitest';
import { type JobReply, jobReplySchema, stepReplySchema, type Wish } from '../../../app/protocol/wire.ts';
import { batchOf, type Client, httpsRig, onEveryStore, randomDigits, runBatch } from '../../support/api.ts';
import { newRequestId } from '../../support/issuer-rig.ts';

onEveryStore((kind) => {
  const https = httpsRig(kind);
  let clients: [Client, Client];
  let token: string;
  beforeAll(async () => {
    const second = await https.secondInstance();
    clients = [https.client(), https.client(https.station, second.port)];
    token = await https.signIn();
  });

  /** The same request to both at once; both answers. */
  const both = (path: string, body: unknown, bearer?: string) =>
    Promise.all(clients.map((client) => client.post(path, body, bearer)));

  it('take the steps of a job in turn', async () => {
    const { card } = https.rig.newCard();
    const asked = await https.rig.request(card, randomDigits(16), STORY);
    const started = jobReplySchema.parse((await clients[1].post('/v1/jobs', asked, token)).body);
    let batch = started.batch;
    for (let turn = 0; batch !== undefined; turn += 1) {
      const client = clients[turn % 2 === 0 ? 0 : 1];
      const answer = await client.post(
        `/v1/jobs/${started.job}/answers/${batch.seq}`,
        await runBatch(card, batch),
      );
      const next = stepReplySchema.parse(answer.body);
      if ('outcome' in next) expect(next.outcome).toMatchObject({ result: 'complete', trips: 11 });
      batch = 'batch' in next ? next.batch : undefined;
    }
  });

  it('given two different reports on one step at once: one is taken, the other is a conflict', async () => {
    const { card } = https.rig.newCard();
    const asked = await https.rig.request(card, randomDigits(16), STORY.slice(0, 1), 'e-wallet');
    const started = jobReplySchema.parse((await clients[0].post('/v1/jobs', asked, token)).body);
    const report = await runBatch(card, batchOf(started));
    const other = {
      apiLevel: 1,
      cardEpoch: 1,
      answers: [],
      stoppedAt: 0,
      reached: false,
      cardEvent: 'removed',
    };
    const path = `/v1/jobs/${started.job}/answers/1`;
    const answers = await Promise.all([clients[0].post(path, report), clients[1].post(path, other)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'step-conflict' });
  });

  it('asked the same at once, at every step: one job, one reply', async () => {
    const { card, identification } = https.rig.newCard();
    const asked = await https.rig.request(card, randomDigits(16), STORY);
    const [one, two] = await both('/v1/jobs', asked, token);
    expect(two?.body).toEqual(one?.body);
    const started: JobReply = jobReplySchema.parse(one?.body);
    let batch: ReturnType<typeof batchOf> | undefined = batchOf(started);
    while (batch !== undefined) {
      const report = await runBatch(card, batch);
      const [first, second] = await both(`/v1/jobs/${started.job}/answers/${batch.seq}`, report);
      expect(second?.body).toEqual(first?.body);
      const next = stepReplySchema.parse(first?.body);
      batch = 'batch' in next ? next.batch : undefined;
    }
    const { jobs } = await https.rig.record(identification);
    expect(jobs).toMatchObject([{ result: 'complete' }]);
  });

  it('many jobs for one card at once, over both: each gets a generation of its own or a clear answer', async () => {
    const { card, identification } = https.rig.newCard();
    const asked = await https.rig.request(card, randomDigits(16), STORY.slice(0, 1));
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => {
        const client = clients[at % 2 === 0 ? 0 : 1];
        return client.post('/v1/jobs', { ...asked, requestId: newRequestId() }, token);
      }),
    );
    const started = answers.flatMap((answer) => {
      if (answer.status === 200) return [jobReplySchema.parse(answer.body)];
      expect(answer).toMatchObject({ status: 503, body: { code: 'server-busy' } });
      return [];
    });
    expect(new Set(started.map((one) => one.generation)).size).toBe(started.length);
    const { jobs } = await https.rig.record(identification);
    expect(jobs).toHaveLength(started.length);
    expect(jobs.filter((job) => job.result === null)).toHaveLength(1);
  });

  it('many cards at once over both: no cross-talk', async () => {
    await Promise.all(
      Array.from({ length: 8 }, async (_, at) => {
        const { card, identification } = https.rig.newCard();
        const account = randomDigits(16);
        const asked = await https.rig.request(card, account, STORY.slice(0, 1), 'e-wallet');
        const started = jobReplySchema.parse(
          (await clients[at % 2 === 0 ? 0 : 1].post('/v1/jobs', asked, token)).body,
        );
        let batch = started.batch;
        for (let turn = at; batch !== undefined; turn += 1) {
          const report = await runBatch(card, batch);
          const answer = await clients[turn % 2 === 0 ? 0 : 1].post(
            `/v1/jobs/${started.job}/answers/${batch.seq}`,
            report,
          );
          const next = stepReplySchema.parse(answer.body);
          if ('outcome' in next)
            expect(next.outcome).toMatchObject({ card: identification, result: 'complete', trips: 5 });
          batch = 'batch' in next ? next.batch : undefined;
        }
        expect(await https.rig.record(identification)).toMatchObject({
          account,
          issued: true,
        });
      }),
    );
  });
});

const STORY: Wish[] = [
  { app: 'e-wallet', action: 'enable' },
  { app: 'campus-meal', action: 'enable' },
  { app: 'transit', action: 'delete' },
];
