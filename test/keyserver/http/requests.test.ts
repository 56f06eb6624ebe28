/** Whatever is sent, the answer is a code of ours: never a 500, a stack, a path, SQL, or what a card said. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeOperator } from '../../../app/keyserver/access/enrolment.ts';
import { errorBodySchema } from '../../../app/protocol/errors.ts';
import {
  cardRecordSchema,
  type JobReply,
  jobReplySchema,
  LIMITS,
  stepReplySchema,
  type Wish,
} from '../../../app/protocol/wire.ts';
import { request, runBatch } from '../../support/forwarder.ts';
import { type Answer, type Client, type HttpsRig, openHttpsRig, SECRET } from '../../support/https-rig.ts';
import { newRequestId, randomDigits } from '../../support/issuer-rig.ts';
import { batchOf, storeText } from '../../support/issuer-steps.ts';

const ENABLE: Wish[] = [{ app: 'e-wallet', action: 'enable' }];

let https: HttpsRig;
let client: Client;
let token: string;
beforeAll(async () => {
  https = await openHttpsRig();
  client = https.client();
  token = await https.signIn();
});
afterAll(() => https.close());

async function askFor(wishes: Wish[] = ENABLE) {
  const { card } = https.rig.newCard();
  return { card, asked: await request(card, https.rig.context, randomDigits(16), wishes, 'e-wallet') };
}

/** An error body, and nothing in it that is nobody's business. */
function expectError(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status, body: { code } });
  expectDiscreet(answer);
}

function expectDiscreet(answer: Answer): void {
  const body = errorBodySchema.parse(answer.body);
  expect(answer.text).not.toMatch(/\/(work|home|root|tmp|usr|var)\//);
  expect(answer.text).not.toMatch(/node_modules|\.ts\b|\bat .*:\d+|SQLITE|select |insert |update .* set/i);
  expect(answer.text).not.toMatch(/kaika-issuer|softhsm|CKR_|pkcs11|token/i);
  expect(body.message).not.toMatch(/[0-9A-F]{16}/);
}

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

/** JSON values of all kinds, also ones that nearly fit. */
const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('', '9000', 'zz', -1, 1e308, 2 ** 53, 'constructor', '__proto__', 'e-wallet', [], {}),
  fc.string({ unit: fc.constantFrom('0', '9', 'A', 'F', 'a', ' '), maxLength: 80 }),
);

describe('one field changed to something else', () => {
  const codesOfFour = /^[a-z-]+$/;
  const notOurs = (answer: Answer) => {
    expect(answer.status, answer.text).toBeLessThan(500);
    if (answer.status >= 400) {
      expect(errorBodySchema.parse(answer.body).code).toMatch(codesOfFour);
      expectDiscreet(answer);
    }
  };

  it('of POST /v1/jobs: a clear answer, never a 500', async () => {
    const { asked } = await askFor();
    const paths = fieldsOf(asked);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), anything, async (path, value) => {
        const changed = { ...(withField(asked, path, value) as object) };
        const body = path[0] === 'requestId' ? changed : { ...changed, requestId: newRequestId() };
        notOurs(await client.post('/v1/jobs', body, token));
      }),
      { numRuns: 250, seed: 20_260_101 },
    );
  });

  it('of POST answers: a clear answer, never a 500', async () => {
    const { card, asked } = await askFor();
    const started = jobReplySchema.parse(
      (await client.post('/v1/jobs', { ...asked, requestId: newRequestId() }, token)).body,
    );
    const report = {
      ...(await runBatch(card, batchOf(started))),
      stoppedAt: 1,
      reached: true,
      cardEvent: 'removed',
    };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...fieldsOf(report)),
        anything,
        fc.constantFrom(1, 2, 3, 4),
        async (path, value, seq) => {
          notOurs(
            await client.post(`/v1/jobs/${started.job}/answers/${seq}`, withField(report, path, value)),
          );
        },
      ),
      { numRuns: 150, seed: 20_260_102 },
    );
  });

  it('answers of a card that says anything at all, to every step of a job: a clear answer, never a 500', async () => {
    const hex = fc
      .uint8Array({ minLength: 0, maxLength: 256 })
      .map((bytes) => Buffer.from(bytes).toString('hex').toUpperCase());
    const sw = fc.constantFrom(
      '9000',
      '6A82',
      '6283',
      '6983',
      '63C2',
      '63C0',
      '6985',
      '9302',
      '9303',
      '6A84',
      '6581',
      '6F00',
    );
    const wishes: Wish[] = [
      { app: 'e-wallet', action: 'enable' },
      { app: 'campus-meal', action: 'enable' },
      { app: 'transit', action: 'delete' },
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(hex, sw), { minLength: 12, maxLength: 12 }),
        fc.integer({ min: 0, max: 11 }),
        async (said, from) => {
          const { card } = https.rig.newCard();
          const asked = await request(card, https.rig.context, randomDigits(16), wishes);
          const started = jobReplySchema.parse((await client.post('/v1/jobs', asked, token)).body);
          let batch = started.batch;
          for (let step = 0; batch !== undefined && step < 12; step += 1) {
            const [data, word] = said[step] ?? ['', '9000'];
            const honest = await runBatch(card, batch);
            const answers = step < from ? honest.answers : [...honest.answers.slice(0, -1), data + word];
            const answer = await client.post(`/v1/jobs/${started.job}/answers/${batch.seq}`, {
              apiLevel: 1,
              cardEpoch: 0,
              answers,
            });
            notOurs(answer);
            const next = stepReplySchema.safeParse(answer.body);
            batch = next.success && 'batch' in next.data ? next.data.batch : undefined;
          }
        },
      ),
      { numRuns: 40, seed: 20_260_103 },
    );
  });
});

/** Paths of all members of a JSON value, at any depth. */
function fieldsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [
    [...path, key],
    ...fieldsOf(member, [...path, key]),
  ]);
}

function withField(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to;
  if (Array.isArray(value))
    return value.map((one: unknown, at) => (String(at) === key ? withField(one, rest, to) : one));
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(
    members.map(([name, one]) => [name, name === key ? withField(one, rest, to) : one]),
  );
}
