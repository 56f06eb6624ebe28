/** Any field changed to anything, any answer of any card: a code of ours, never a 500. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Answer, Client, Wish } from '../../support/api.ts';
import { batchOf, errorBodySchema, httpsRig, jobReplySchema, stepReplySchema } from '../../support/api.ts';
import { expectDiscreet } from '../../support/error-answers.ts';
import { newRequestId, randomDigits } from '../../support/issuer-rig.ts';
import { runBatch } from '../../support/visits.ts';

const https = httpsRig();
let client: Client;
let token: string;
beforeAll(signIn);

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
          const asked = await https.rig.request(card, randomDigits(16), wishes);
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

async function signIn(): Promise<void> {
  client = https.client();
  token = await https.signIn();
}

/** JSON values of all kinds, also ones that nearly fit. */
const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('', '9000', 'zz', -1, 1e308, 2 ** 53, 'constructor', '__proto__', 'e-wallet', [], {}),
  fc.string({ unit: fc.constantFrom('0', '9', 'A', 'F', 'a', ' '), maxLength: 80 }),
);

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

async function askFor() {
  const { card } = https.rig.newCard();
  const wishes: Wish[] = [{ app: 'e-wallet', action: 'enable' }];
  return { card, asked: await https.rig.request(card, randomDigits(16), wishes, 'e-wallet') };
}
