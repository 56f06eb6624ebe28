/**
 * A fuzzer on the wire's own description: for every route bodies, queries and paths that the OpenAPI document allows, and ones that are
 * broken somewhere. Whatever comes: an answer that the document describes, never a 500, and a store that a refused request has not changed.
 */
import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ENDPOINTS } from '../../../app/keyserver/api/endpoints.ts';
import { openApiDocument } from '../../../app/keyserver/api/openapi.ts';
import { jobReplySchema } from '../../../app/protocol/wire.ts';
import { errorBodySchema, expectDiscreet, randomDigits, storeText, writeStation } from '../../support/api.ts';
import { type Client, httpsRig, SECRET } from '../../support/https-rig.ts';
import { valuesOf } from '../../support/json-schema-arbitrary.ts';
import { onEveryStore } from '../../support/stores.ts';

onEveryStore((kind) => {
  const https = httpsRig(kind);
  let client: Client;
  let token: string;
  /** Jobs that are there: paths lead to them more often than chance would. */
  const jobs: string[] = [];
  const cards: string[] = [];
  beforeAll(async () => {
    // A station of its own: its wrong secrets and its flood of requests are nobody else's.
    const identity = await https.authority.issue({ name: 'fuzzer', use: 'client' });
    await writeStation(https.rig.context.store, 'fuzzer', new X509Certificate(identity.certificate));
    client = https.client(identity);
    const signedIn = await client.post('/v1/sessions', { apiLevel: 1, operator: 'clerk', secret: SECRET });
    token = z.object({ token: z.string() }).parse(signedIn.body).token;
    for (let at = 0; at < 2; at += 1) {
      const { card, identification } = https.rig.newCard();
      const wishes = [{ app: 'e-wallet', action: 'enable' as const }];
      const asked = await https.rig.request(card, randomDigits(16), wishes, 'e-wallet');
      jobs.push(jobReplySchema.parse((await client.post('/v1/jobs', asked, token)).body).job);
      cards.push(identification);
    }
  });

  /** Values of a path's parameters: what is there, what could be, and anything. */
  const parameter: Record<string, fc.Arbitrary<string>> = {
    job: fc.oneof(
      fc.nat(1).map((at) => jobs[at] ?? ''),
      fc.uuid(),
      fc.string(),
    ),
    seq: fc.oneof(fc.integer({ min: 0, max: 4 }).map(String), fc.double().map(String), fc.string()),
    card: fc.oneof(
      fc.nat(1).map((at) => cards[at] ?? ''),
      fc.stringMatching(/^[0-9]{8,20}$/),
      fc.string(),
    ),
  };

  describe.each(ENDPOINTS)('$method $path', ({ method, path: route }) => {
    const operation = operationSchema.parse(paths[route]?.[method.toLowerCase()]);
    const inQuery = operation.parameters.filter((one) => one.in === 'query');
    const body = operation.requestBody?.content['application/json'].schema;

    const queries = fc
      .record(Object.fromEntries(inQuery.map((one) => [one.name, valuesOf(one.schema).map(String)])), {
        requiredKeys: [],
      })
      .chain((valid) =>
        fc.oneof(
          fc.constant(valid),
          fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }).map((more) => ({ ...valid, ...more })),
        ),
      )
      .map((values) => new URLSearchParams(z.record(z.string(), z.string()).parse(values)).toString());
    const bodies =
      body === undefined
        ? fc.constant(undefined)
        : valuesOf(body).chain((valid) =>
            fc.oneof(
              fc.constant(valid),
              broken(valid),
              // Cut short, as by a line that broke.
              fc.nat(200).map((at) => JSON.stringify(valid).slice(0, at)),
            ),
          );
    const places = fc
      .record(
        Object.fromEntries(
          [...route.matchAll(/\{(\w+)\}/g)].map(([, one = '']) => [one, parameter[one] ?? fc.string()]),
        ),
      )
      .map((values) =>
        Object.entries(values).reduce(
          (path, [one, value]) =>
            path.replace(`{${one}}`, encodeURIComponent(value.replace(/[\ud800-\udfff]/g, ''))),
          route,
        ),
      );

    const runs = method === 'POST' && route === '/v1/sessions' ? SIGN_INS : RUNS;
    it(`whatever is asked, in ${runs} ways: a described answer, no 500, and refusals change nothing`, async () => {
      await fc.assert(
        fc.asyncProperty(places, queries, bodies, fc.boolean(), async (path, query, said, signedIn) => {
          const before = await storeText(https.rig.context);
          const headers: Record<string, string> = signedIn ? { authorization: `Bearer ${token}` } : {};
          // https-rig holds each answer against the document by itself.
          const answer = await client.send(method, query === '' ? path : `${path}?${query}`, said, headers);
          expect(answer.status, answer.text).toBeLessThan(500);
          if (answer.status < 400) return;
          const { code } = errorBodySchema.parse(answer.body);
          expectDiscreet(answer);
          // A late report goes to the log of its job, by design.
          if (code !== 'job-superseded') expect(await storeText(https.rig.context), code).toBe(before);
        }),
        { numRuns: runs, seed: 20_261_125 },
      );
    });
  });
});

const RUNS = 120;

/** Each of them costs the server a hash of the secret. */
const SIGN_INS = 30;

const operationSchema = z.object({
  parameters: z
    .array(z.object({ name: z.string(), in: z.enum(['path', 'query']), schema: z.looseObject({}) }))
    .default([]),
  requestBody: z
    .object({ content: z.object({ 'application/json': z.object({ schema: z.looseObject({}) }) }) })
    .optional(),
});

const documentSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) });
const { paths } = documentSchema.parse(openApiDocument(ENDPOINTS));

/** One value somewhere in `value` exchanged for any other, a member left out, or one added. */
function broken(value: unknown): fc.Arbitrary<unknown> {
  if (Array.isArray(value) && value.length > 0)
    return fc.oneof(
      fc.jsonValue(),
      fc
        .nat(value.length - 1)
        .chain((at) => broken(value[at]).map((one) => value.map((old, index) => (index === at ? one : old)))),
    );
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value);
    const added = fc.tuple(fc.string(), fc.jsonValue()).map(([name, one]) => ({ ...value, [name]: one }));
    if (members.length === 0) return added;
    const name = fc.constantFrom(...members.map(([one]) => one));
    return fc.oneof(
      added,
      name.map((gone) => Object.fromEntries(members.filter(([one]) => one !== gone))),
      name.chain((one) =>
        broken(Object.fromEntries(members)[one]).map((other) => ({ ...value, [one]: other })),
      ),
    );
  }
  return fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('', '9000', -1, 2 ** 53, null, '\u0000', '\ud800', 'constructor'),
  );
}
