/** Every endpoint of the table, asked by every kind of caller: who is let through, and what the others are told. A new endpoint is in it by itself. */
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Who } from '../../../app/keyserver/access/callers.ts';
import { ENDPOINTS } from '../../../app/keyserver/api/endpoints.ts';
import { moveStation } from '../../../app/keyserver/store/stations.ts';
import type { ErrorCode } from '../../../app/protocol/errors.ts';
import { ROLES, type Role } from '../../../app/protocol/roles.ts';
import { signInReplySchema } from '../../../app/protocol/wire.ts';
import { type Client, expectError, type HttpsRig, SECRET, storeText } from '../../support/api.ts';
import { openHttpsRig } from '../../support/https-rig.ts';
import { writeOperator, writeStation } from '../../support/operators.ts';

let https: HttpsRig;
let unknown: Client;
let revoked: Client;
let other: Client;
let moved: Client;

beforeAll(signInEverybody);
afterAll(() => https.close());

describe.each(ENDPOINTS)('$method $path, for $may', ({ method, path, may }) => {
  it.each(CALLERS)('a request $name', async ({ reaches, client, token }) => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token()}` };
    // A body that is refused: whoever is let through hears that, and nothing is changed by anybody.
    const body = method === 'GET' ? undefined : {};
    const ask = () => client().send(method, pathOf(path), body, headers);
    if (reaches === undefined) return expect(ask()).rejects.toThrow();
    const before = await storeText(https.rig.context);
    const answer = await ask();
    const refusal = refusalOf(`${method} ${path}`, may, reaches);
    if (refusal === undefined) {
      expect(answer.body).not.toMatchObject({
        code: expect.stringMatching(/^(server-refused-certificate|session-expired|not-permitted)$/),
      });
      expect(answer.status, answer.text).toBeLessThan(500);
      if (method === 'POST') expectError(answer, 400, 'bad-request');
    } else expectError(answer, ...refusal);
    expect(await storeText(https.rig.context)).toBe(before);
  });
});

describe('GET /v1/sessions/current', () => {
  it('says who is signed in with a token at this station, and null for every other token, without an error', async () => {
    const ask = async (token?: string) => {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const answer = await https.client().send('GET', '/v1/sessions/current', undefined, headers);
      expect(answer.status).toBe(200);
      return answer.body;
    };
    expect(await ask(tokens.own)).toMatchObject({ session: { operator: { id: 'clerk', name: 'clerk' } } });
    const { own: _own, ...others } = tokens;
    for (const token of [undefined, 'x'.repeat(43), ...Object.values(others)])
      expect(await ask(token)).toEqual({ apiLevel: 1, session: null });
  });
});

async function signInEverybody(): Promise<void> {
  https = await openHttpsRig();
  const { store } = https.rig.context;
  const enrolled = async (name: string) => {
    const identity = await https.authority.issue({ name, use: 'client' });
    await writeStation(store, name, new X509Certificate(identity.certificate));
    return https.client(identity);
  };
  unknown = https.client(await https.authority.issue({ name: 'test-station', use: 'client' }));
  revoked = await enrolled('revoked');
  other = await enrolled('other');
  for (const id of ['gone', 'changed', 'late']) await writeOperator(store, { id, name: id, secret: SECRET });
  const signIn = async (client: Client, operator: string, more = {}) => {
    const request = { apiLevel: 1, operator, secret: SECRET, ...more };
    return signInReplySchema.parse((await client.post('/v1/sessions', request)).body).token;
  };
  moved = await enrolled('moved');
  await moveStation(store, 'moved', 'North');
  await writeOperator(store, { id: 'north', name: 'north', secret: SECRET, branch: 'North' });
  tokens.moved = await signIn(moved, 'north');
  await moveStation(store, 'moved', 'South');
  const station = https.client();
  for (const role of ROLES) {
    await writeOperator(store, { id: `a ${role}`, name: role, secret: SECRET, role });
    ofRole[role] = await signIn(station, `a ${role}`);
  }
  tokens.own = await signIn(station, 'clerk');
  tokens.others = await signIn(other, 'clerk');
  tokens.confirmation = await signIn(station, 'clerk', {
    confirms: { card: '4571413860106665', app: 'transit', balance: null },
  });
  tokens.disabled = await signIn(station, 'gone');
  tokens.replaced = await signIn(station, 'changed');
  tokens.expired = await signIn(station, 'late');
  await store.updateTable('stations').set({ revoked: 1 }).where('name', '=', 'revoked').execute();
  await store.updateTable('operators').set({ disabled: 1 }).where('id', '=', 'gone').execute();
  await store
    .updateTable('sessions')
    .set({ expires: new Date().toISOString() })
    .where('operator', '=', 'late')
    .execute();
  await writeOperator(store, { id: 'changed', name: 'changed', secret: `${SECRET} and more` });
}

/** What a caller is told who is not let through; undefined for one who is. */
function refusalOf(
  endpoint: string,
  may: Who,
  reaches: Reaches,
): [status: number, code: ErrorCode] | undefined {
  if (may === 'certificate') return undefined;
  if (reaches === 'certificate') return [403, 'server-refused-certificate'];
  if (may === 'station') return undefined;
  if (reaches === 'station') return [401, 'session-expired'];
  const roles = ROLES_OF[endpoint];
  if (roles === undefined)
    throw new Error(`${endpoint}: the table of this test does not say which roles may`);
  return roles.includes(reaches) ? undefined : [403, 'not-permitted'];
}

/** Written down once more, so that a slip in the program's own table is seen. */
const ROLES_OF: Readonly<Record<string, readonly Role[]>> = {
  'POST /v1/jobs': ['operator', 'supervisor'],
  'GET /v1/cards': ['operator', 'supervisor', 'auditor'],
  'GET /v1/cards/{card}': ['operator', 'supervisor', 'auditor'],
};

const tokens = { own: '', others: '', expired: '', confirmation: '', disabled: '', replaced: '', moved: '' };
const ofRole: Partial<Record<Role, string>> = {};

const CALLERS: readonly Caller[] = [
  { name: 'without a certificate', reaches: undefined, client: () => https.client(null) },
  { name: 'with a certificate that nobody enrolled', reaches: 'certificate', client: () => unknown },
  {
    name: 'with a certificate that nobody enrolled and a token',
    reaches: 'certificate',
    client: () => unknown,
    token: () => tokens.own,
  },
  { name: 'with a revoked certificate', reaches: 'certificate', client: () => revoked },
  { name: 'of a station without a token', reaches: 'station', client: () => https.client() },
  {
    name: "with another station's token",
    reaches: 'station',
    client: () => https.client(),
    token: () => tokens.others,
  },
  {
    name: 'with a token that is over',
    reaches: 'station',
    client: () => https.client(),
    token: () => tokens.expired,
  },
  {
    name: 'with a token for a confirmation',
    reaches: 'station',
    client: () => https.client(),
    token: () => tokens.confirmation,
  },
  {
    name: 'of an operator who may not sign in any more',
    reaches: 'station',
    client: () => https.client(),
    token: () => tokens.disabled,
  },
  {
    name: 'of an operator whose secret was changed since',
    reaches: 'station',
    client: () => https.client(),
    token: () => tokens.replaced,
  },
  {
    name: 'with a token that nobody was given',
    reaches: 'station',
    client: () => https.client(),
    token: () => 'x'.repeat(43),
  },
  {
    name: 'of somebody of another branch, at a station that was moved meanwhile',
    reaches: 'station',
    client: () => moved,
    token: () => tokens.moved,
  },
  ...ROLES.map((role) => ({
    name: `of ${role === 'operator' || role === 'auditor' ? 'an' : 'a'} ${role}`,
    reaches: role,
    client: () => https.client(),
    token: () => ofRole[role] ?? '',
  })),
];

/** A caller with a certificate that nobody enrolled, a station, or somebody who works there. */
type Reaches = 'certificate' | 'station' | Role;

interface Caller {
  readonly name: string;
  /** As far as this caller gets; undefined for one who has no line to the server at all. */
  readonly reaches: Reaches | undefined;
  readonly client: () => Client;
  readonly token?: () => string;
}

/** A path that leads somewhere, and nowhere in particular. */
const pathOf = (path: string) =>
  path
    .replace('{job}', '9b2d5e0a-3f0c-4f43-8a53-54f2d1f4a0a1')
    .replace('{seq}', '1')
    .replace('{card}', '1234567890123456');
