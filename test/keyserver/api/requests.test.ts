/** Requests right and wrong over the line: codes of ours, headers, signing in, whole jobs. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { cardRecordSchema } from '../../../app/protocol/card-record.ts';
import { jobReplySchema, LIMITS, stepReplySchema } from '../../../app/protocol/wire.ts';
import type { Client, JobReply, Wish } from '../../support/api.ts';
import { batchOf, errorBodySchema, httpsRig, randomDigits, SECRET, storeText } from '../../support/api.ts';
import { expectError } from '../../support/error-answers.ts';
import { writeOperator } from '../../support/operators.ts';
import { ENABLE, runBatch } from '../../support/visits.ts';

const https = httpsRig();
let client: Client;
let token: string;
beforeAll(signIn);

describe('headers', () => {
  it('of answers and errors: JSON, not to be kept, not to be guessed at, and not who we are', async () => {
    const { asked } = await askFor();
    const answers = [
      await client.send('GET', '/v1/health'),
      await client.post('/v1/jobs', asked, token),
      await client.post('/v1/jobs', asked),
      await client.send('GET', '/nothing'),
    ];
    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      for (const name of ['server', 'x-powered-by', 'set-cookie', 'access-control-allow-origin', 'etag']) {
        expect(headers).not.toHaveProperty(name);
      }
    }
  });

  it('each answer of an error names its request, and the log line has the same name', async () => {
    const answer = await client.send('GET', '/nothing');
    const { requestId } = errorBodySchema.parse(answer.body);
    await expect
      .poll(() => https.log.some((line) => line.includes(requestId) && line.includes('not-found')))
      .toBe(true);
  });
});

describe('signing in', () => {
  it('sign-in-failed: the same for a wrong secret, an unknown operator and one who may not any more', async () => {
    await writeOperator(https.rig.context.store, { id: 'gone', name: 'gone', secret: SECRET });
    await https.rig.context.store
      .updateTable('operators')
      .set({ disabled: 1 })
      .where('id', '=', 'gone')
      .execute();
    const tries = [
      { operator: 'clerk', secret: 'wrong' },
      { operator: 'nobody', secret: SECRET },
      { operator: 'gone', secret: SECRET },
    ];
    const said = new Set<string>();
    for (const one of tries) {
      const answer = await client.post('/v1/sessions', { apiLevel: 1, ...one });
      expectError(answer, 401, 'sign-in-failed');
      said.add(errorBodySchema.parse(answer.body).message);
    }
    expect(said.size).toBe(1);
  });

  it('session-expired: without a token, with a wrong one, one of another station, one whose operator is disabled', async () => {
    const { asked } = await askFor();
    expectError(await client.post('/v1/jobs', asked), 401, 'session-expired');
    expectError(await client.post('/v1/jobs', asked, 'x'.repeat(43)), 401, 'session-expired');
    expectError(
      await client.send('POST', '/v1/jobs', asked, { authorization: `Basic ${token}` }),
      401,
      'session-expired',
    );
    const { store } = https.rig.context;
    const mine = await https.signIn('supervisor');
    await store
      .updateTable('sessions')
      .set({ station: 'another' })
      .where('operator', '=', 'supervisor')
      .execute();
    expectError(await client.post('/v1/jobs', asked, mine), 401, 'session-expired');
    await store
      .updateTable('sessions')
      .set({ station: 'test-station' })
      .where('operator', '=', 'supervisor')
      .execute();
    expect(
      (await client.send('GET', '/v1/cards/1234567890123456', undefined, { authorization: `Bearer ${mine}` }))
        .status,
    ).toBe(404);
    await store.updateTable('operators').set({ disabled: 1 }).where('id', '=', 'supervisor').execute();
    expectError(await client.post('/v1/jobs', asked, mine), 401, 'session-expired');
    await store.updateTable('operators').set({ disabled: 0 }).where('id', '=', 'supervisor').execute();
    await store
      .updateTable('sessions')
      .set({ expires: '2020-01-01T00:00:00.000Z' })
      .where('operator', '=', 'supervisor')
      .execute();
    expectError(await client.post('/v1/jobs', asked, mine), 401, 'session-expired');
  });
});

describe('whole jobs over the line', () => {
  it('follow the schemas of the wire, and the record can be read', async () => {
    const { card, asked } = await askFor();
    const started: JobReply = jobReplySchema.parse((await client.post('/v1/jobs', asked, token)).body);
    expect(jobReplySchema.parse((await client.post('/v1/jobs', asked, token)).body)).toEqual(started);
    let batch = batchOf(started);
    for (;;) {
      const report = await runBatch(card, batch);
      const path = `/v1/jobs/${started.job}/answers/${batch.seq}`;
      // The first reply is lost on its way; the operator's token is not needed any more.
      const first = await client.post(path, report);
      const second = await https.client().post(path, report);
      expect(second.body).toEqual(first.body);
      const next = stepReplySchema.parse(first.body);
      if ('outcome' in next) {
        expect(next.outcome.result).toBe('complete');
        break;
      }
      batch = next.batch;
    }
    const cin = asked.card.cin?.slice(4) ?? '';
    const record = await client.send('GET', `/v1/cards/${cin}`, undefined, {
      authorization: `Bearer ${token}`,
    });
    expect(cardRecordSchema.parse(record.body)).toMatchObject({
      issued: true,
      jobs: [{ operator: 'clerk', station: 'test-station' }],
    });
  });
});

describe('requests that are none', () => {
  it.each<[string, string, unknown, number, string]>([
    ['no JSON', '/v1/jobs', '{"apiLevel":1', 400, 'bad-request'],
    ['an empty body', '/v1/jobs', '', 400, 'bad-request'],
    ['JSON that would change prototypes', '/v1/jobs', '{"__proto__":{"x":1}}', 400, 'bad-request'],
    ['a list', '/v1/sessions', '[]', 400, 'bad-request'],
    ['null', '/v1/sessions', 'null', 400, 'bad-request'],
    ['another API level', '/v1/jobs', { apiLevel: 2 }, 400, 'api-level-unsupported'],
    [
      'another API level in a report',
      '/v1/jobs/9b2d5e0a-3f0c-4f43-8a53-54f2d1f4a0a1/answers/1',
      { apiLevel: 0 },
      400,
      'api-level-unsupported',
    ],
    ['too much', '/v1/jobs', `"${'x'.repeat(LIMITS.bodyBytes)}"`, 413, 'request-too-large'],
    ['a job that is none', '/v1/jobs/1/answers/1', {}, 400, 'bad-request'],
    [
      'a job that never was',
      '/v1/jobs/9b2d5e0a-3f0c-4f43-8a53-54f2d1f4a0a1/answers/1',
      { apiLevel: 1, cardEpoch: 0, answers: [] },
      404,
      'not-found',
    ],
    [
      'a step that is none',
      '/v1/jobs/9b2d5e0a-3f0c-4f43-8a53-54f2d1f4a0a1/answers/0',
      {},
      400,
      'bad-request',
    ],
    ['an address that is none', '/v1/jobs/%zz/answers/1', {}, 400, 'bad-request'],
    ['an address that leads elsewhere', '/v1/../../etc/passwd', {}, 404, 'not-found'],
  ])('%s', async (_name, path, body, status, code) => {
    const before = await storeText(https.rig.context);
    expectError(await client.post(path, body, token), status, code);
    expect(await storeText(https.rig.context)).toBe(before);
  });

  it('another kind of body, another method, another resource', async () => {
    const { asked } = await askFor();
    const authorization = `Bearer ${token}`;
    for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x']) {
      const headers = { authorization, 'content-type': type };
      expectError(await client.send('POST', '/v1/jobs', JSON.stringify(asked), headers), 400, 'bad-request');
    }
    expectError(await client.send('PUT', '/v1/jobs', asked, { authorization }), 404, 'not-found');
    expectError(
      await client.send('GET', '/v1/cards/%2e%2e', undefined, { authorization }),
      400,
      'bad-request',
    );
    expectError(
      await client.send('GET', '/v1/cards/1234567890', undefined, { authorization }),
      404,
      'not-found',
    );
    expectError(await client.send('GET', '/v1/operators', undefined, { authorization }), 404, 'not-found');
  });

  it.each(['1234567', '123456789012345678901', '12345678a', ' 12345678', '', '0000000000000000'])(
    'account-invalid: "%s"',
    async (account) => {
      const { asked } = await askFor();
      expectError(await client.post('/v1/jobs', { ...asked, account }, token), 400, 'account-invalid');
    },
  );
});

it('receipts of one station at a time: after a restore the others ask again, and the HSM is left to the counters', async () => {
  let go: () => void = () => undefined;
  let reached: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const first = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const { vault } = https.rig.context;
  const unseal = vault.unseal.bind(vault);
  const held = vi.spyOn(vault, 'unseal').mockImplementation(async (...given) => {
    reached();
    await gate;
    return unseal(...given);
  });
  try {
    const body = { apiLevel: 1, receipts: [Buffer.alloc(80, 1).toString('base64url')] };
    const slow = client.post('/v1/receipts', body);
    await first;
    expectError(await https.client().post('/v1/receipts', body), 503, 'server-busy');
    go();
    expect((await slow).body).toMatchObject({ taken: 0, refused: 1 });
    expect((await client.post('/v1/receipts', body)).status).toBe(200);
  } finally {
    go();
    held.mockRestore();
  }
});

async function signIn(): Promise<void> {
  client = https.client();
  token = await https.signIn();
}

async function askFor(wishes: Wish[] = ENABLE) {
  const { card } = https.rig.newCard();
  return { card, asked: await https.rig.request(card, randomDigits(16), wishes, 'e-wallet') };
}
