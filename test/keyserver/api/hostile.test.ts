/**
 * A whole dialogue in which every request is also repeated, sent out of turn, cut short, sent with another certificate and with another card's
 * answers: the right reply or an error of ours, the store as it was, and the job comes to its right end all the same.
 */
import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { jobReplySchema, stepReplySchema } from '../../../app/protocol/wire.ts';
import type { Answer, AnswersRequest, Batch, Client, Outcome, Wish } from '../../support/api.ts';
import { batchOf, expectError, randomDigits, runBatch, storeText, writeStation } from '../../support/api.ts';
import { httpsRig, SECRET } from '../../support/https-rig.ts';

const https = httpsRig();
let client: Client;
let token: string;
/** Another enrolled station, and one that is not enrolled. */
let other: Client;
let otherToken: string;
let stranger: Client;
beforeAll(openLines);

it('a story in which everything is tried at every step ends as if nothing had been', async () => {
  const { card, identification } = https.rig.newCard();
  const asked = await https.rig.request(card, randomDigits(16), STORY);
  expectError(await inVain(() => stranger.post('/v1/jobs', asked, token)), 403, 'server-refused-certificate');
  expectError(await inVain(() => other.post('/v1/jobs', asked, token)), 401, 'session-expired');
  const reply = await client.post('/v1/jobs', asked, token);
  const started = jobReplySchema.parse(reply.body);
  expect((await inVain(() => client.post('/v1/jobs', asked, token))).body).toEqual(reply.body);
  expectError(await inVain(() => other.post('/v1/jobs', asked, otherToken)), 409, 'request-conflict');
  const changed = { ...asked, wishes: DELETE };
  expectError(await inVain(() => client.post('/v1/jobs', changed, token)), 409, 'request-conflict');

  const reports: AnswersRequest[] = [];
  let batch: Batch | undefined = batchOf(started);
  let outcome: Outcome | undefined;
  while (batch !== undefined) {
    const report = await runBatch(card, batch);
    await harass(started.job, batch, report, reports);
    const path = `/v1/jobs/${started.job}/answers/${batch.seq}`;
    const first = await client.post(path, report);
    const next = stepReplySchema.parse(first.body);
    expect((await inVain(() => client.post(path, report))).body).toEqual(first.body);
    reports.push(report);
    batch = 'batch' in next ? next.batch : undefined;
    outcome = 'outcome' in next ? next.outcome : undefined;
  }
  expect(outcome).toMatchObject({ result: 'complete', trips: 11 });
  expectError(await inVain(() => client.post('/v1/jobs', asked, token)), 409, 'step-conflict');
  const { jobs } = await https.rig.record(identification);
  expect(jobs).toMatchObject([{ result: 'complete' }]);
});

describe("another card's answers", () => {
  it('to a secure channel: it is not opened, no card gets a command, and each is served rightly afterwards', async () => {
    const pairs = await Promise.all(
      [0, 1].map(async () => {
        const { card, identification } = https.rig.newCard();
        const account = randomDigits(16);
        const asked = await https.rig.request(card, account, DELETE);
        // As of cards that do not tell their counter: their channel is opened in a batch of its own.
        delete asked.card.sequenceCounter;
        const started = jobReplySchema.parse((await client.post('/v1/jobs', asked, token)).body);
        return { card, identification, account, started, report: await runBatch(card, batchOf(started)) };
      }),
    );
    const [one, two] = pairs;
    if (one === undefined || two === undefined) throw new Error('two cards');
    for (const [mine, theirs] of [
      [one, two],
      [two, one],
    ] as const) {
      const path = `/v1/jobs/${mine.started.job}/answers/1`;
      // The identification code in it is the other card's: the batch would have stopped there.
      expectError(await inVain(() => client.post(path, theirs.report)), 400, 'bad-request');
      // Its own code, and the other card's cryptogram.
      const answers = [...mine.report.answers.slice(0, -1), theirs.report.answers.at(-1) ?? ''];
      const next = stepReplySchema.parse((await client.post(path, { ...mine.report, answers })).body);
      expect(next).toMatchObject({
        outcome: { result: 'refused', deleted: [], error: 'card-has-other-keys' },
      });
    }
    for (const { card, account, identification } of pairs) {
      card.reset();
      expect((await https.rig.issue(card, account, DELETE, undefined, CALLER)).result).toBe('complete');
      const { apps } = await https.rig.record(identification);
      expect(apps.find(({ app }) => app === 'transit')).toMatchObject({ state: 'missing', inDoubt: false });
    }
  });
});

async function openLines(): Promise<void> {
  client = https.client();
  token = await https.signIn();
  const { authority } = https;
  const identity = await authority.issue({ name: 'branch-8', use: 'client' });
  await writeStation(https.rig.context.store, 'branch-8', new X509Certificate(identity.certificate));
  other = https.client(identity);
  const { body } = await other.post('/v1/sessions', { apiLevel: 1, operator: 'clerk', secret: SECRET });
  otherToken = (body as { token: string }).token;
  stranger = https.client(await authority.issue({ name: 'stranger', use: 'client' }));
}

const CALLER = { station: 'test-station', operator: 'clerk' };

const STORY: Wish[] = [
  { app: 'e-wallet', action: 'enable' },
  { app: 'campus-meal', action: 'enable' },
  { app: 'transit', action: 'delete' },
];

const DELETE: Wish[] = [{ app: 'transit', action: 'delete' }];

/** Sends something that must not count; gives the answer when the store is as before. */
async function inVain(send: () => Promise<Answer>): Promise<Answer> {
  const before = await storeText(https.rig.context);
  const answer = await send();
  expect(answer.status, answer.text).toBeLessThan(500);
  expect(await storeText(https.rig.context), answer.text).toBe(before);
  return answer;
}

/** Every way in which a report can be wrong; `earlier` reports of the same job. */
async function harass(job: string, batch: Batch, report: AnswersRequest, earlier: readonly AnswersRequest[]) {
  const at = (seq: number) => `/v1/jobs/${job}/answers/${seq}`;
  const right = at(batch.seq);
  expectError(await inVain(() => other.post(right, report)), 404, 'not-found');
  expectError(await inVain(() => stranger.post(right, report)), 403, 'server-refused-certificate');
  for (const seq of [batch.seq + 1, batch.seq + 7]) {
    expectError(await inVain(() => client.post(at(seq), report)), 409, 'step-conflict');
  }
  for (const [index, old] of earlier.entries()) {
    const again = await inVain(() => client.post(at(index + 1), old));
    // The step before may be repeated; those before it are gone.
    if (again.status !== 200) expectError(again, 409, 'step-conflict');
    const swapped = await inVain(() => client.post(at(index + 1), report));
    if (JSON.stringify(old) !== JSON.stringify(report)) expectError(swapped, 409, 'step-conflict');
  }
  const text = JSON.stringify(report);
  for (const cut of [1, Math.floor(text.length / 2), text.length - 1])
    expectError(await inVain(() => client.post(right, text.slice(0, cut))), 400, 'bad-request');
  if (report.answers.length > 1) {
    const short = { ...report, answers: report.answers.slice(0, -1) };
    expectError(await inVain(() => client.post(right, short)), 400, 'bad-request');
  }
  const long = { ...report, answers: [...report.answers, '9000'] };
  expectError(await inVain(() => client.post(right, long)), 400, 'bad-request');
}
