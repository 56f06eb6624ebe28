/** In which order a request is looked at, and how much of the server somebody gets who has nothing to ask of it. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Identity } from '../../../app/demo/pki.ts';
import { LIMITS } from '../../../app/protocol/wire.ts';
import { expectError, type HttpsRig, httpsRig, writeStation } from '../../support/api.ts';
import { LIMIT, PATIENT } from '../../support/limit.ts';

let shift = 0;
const https = httpsRig('sqlite', undefined, { now: () => new Date(Date.now() + shift) });
const narrow = httpsRig('sqlite', undefined, {
  limits: {
    connectionsPerAddress: 12,
    connectionsPerStation: 3,
    refusalsPerSecond: 2,
    requestsPerSecond: 10,
  },
});
afterEach(closeAndRestore);

describe('first who, then how much, then how deep, and only then what', () => {
  it('a body of a stranger, of a station that was revoked, of nobody signed in is not waited for', async () => {
    const revoked = await enrolled(https, 'revoked');
    await https.rig.context.store
      .updateTable('stations')
      .set({ revoked: 1 })
      .where('name', '=', 'revoked')
      .execute();
    const stranger = await https.authority.issue({ name: 'stranger', use: 'client' });
    for (const [identity, path, code] of [
      [stranger, '/v1/receipts', 'server-refused-certificate'],
      [revoked, '/v1/receipts', 'server-refused-certificate'],
      [https.station, '/v1/jobs', 'session-expired'],
      [https.station, '/v1/nothing', 'not-found'],
    ] as const) {
      const line = await lineOf(https, identity);
      // All of the headers and nothing of the body.
      line.write(`POST ${path} HTTP/1.1\r\n${JSON_HEADERS}Content-Length: 60000\r\n\r\n`);
      expect(await closing(line), path).toContain(`"code":"${code}"`);
    }
  });

  it.each([
    ['/v1/sessions', 8_192],
    ['/v1/jobs', 65_536],
    ['/v1/jobs/9b2d5e0a-3f0c-4f43-8a53-54f2d1f4a0a1/answers/1', 262_144],
    ['/v1/receipts', LIMITS.bodyBytes],
  ])('a body for %s is refused unread beyond %d bytes', async (path, most) => {
    const authorization = `Authorization: Bearer ${await https.signIn()}\r\n`;
    const line = await lineOf(https, https.station);
    line.write(`POST ${path} HTTP/1.1\r\n${JSON_HEADERS}${authorization}Content-Length: ${most + 1}\r\n\r\n`);
    expect(await closing(line)).toContain('"code":"request-too-large"');
    const whole = await https
      .client()
      .post(path, `"${'x'.repeat(most - 2)}"`, authorization.slice(22).trimEnd());
    expectError(whole, 400, 'bad-request');
  });

  it('a body that is too deep, or has too many members, is not parsed', async () => {
    for (const [body, said] of [
      [`{"apiLevel":1,"receipts":${'['.repeat(64)}${']'.repeat(64)}}`, 'the body is too deep'],
      [`{"apiLevel":1,"receipts":[${'0,'.repeat(5_000)}0]}`, 'the body has too many members'],
      // As deep as may be: the schema says what is wrong with it.
      [`{"apiLevel":1,"receipts":${'['.repeat(63)}${']'.repeat(63)}}`, 'receipts.0: invalid_type'],
    ] as const) {
      const answer = await https.client().post('/v1/receipts', body);
      expectError(answer, 400, 'bad-request');
      expect(answer.body).toMatchObject({ message: said });
    }
  });

  it('a GET request has no body', async () => {
    expectError(await https.client().send('GET', '/v1/health', '{}'), 400, 'bad-request');
  });

  it('a large body counts as many requests', async () => {
    vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    const client = narrow.client(await enrolled(narrow, 'large'));
    const statuses: number[] = [];
    for (let time = 0; time < 3; time += 1)
      statuses.push((await client.post('/v1/receipts', `"${'x'.repeat(LIMITS.bodyBytes - 2)}"`)).status);
    // Twice ten at once: 17 and 17.
    expect(statuses).toEqual([400, 400, 503]);
    client.close();
  });
});

describe('a certificate', () => {
  it('that runs out while its line is kept is refused from then on', async () => {
    const day = 24 * 3600 * 1000;
    const identity = await enrolled(https, 'short', { notAfter: new Date(Date.now() + day) });
    const client = https.client(identity);
    const ask = () => client.send('GET', '/v1/sessions/current');
    expect((await ask()).status).toBe(200);
    shift = 2 * day;
    expectError(await ask(), 403, 'server-refused-certificate');
    for (const path of ['/v1/health', '/v1/ready', '/v1/openapi.json', '/nothing'])
      expectError(await client.send('GET', path), 403, 'server-refused-certificate');
    shift = -2 * day;
    expectError(await ask(), 403, 'server-refused-certificate');
    shift = 0;
    expect((await ask()).status).toBe(200);
  });

  it('is shown at every handshake: no session is resumed', async () => {
    let session: Buffer | undefined;
    for (let time = 0; time < 3; time += 1) {
      const line = await lineOf(https, https.station, session);
      line.on('session', (given: Buffer) => {
        session = given;
      });
      expect(line.isSessionReused()).toBe(false);
      line.write(`GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(await closing(line)).toContain('HTTP/1.1 200');
    }
  });

  it('that is refused again and again is sent away without being looked for', async () => {
    const stranger = await narrow.authority.issue({ name: 'again', use: 'client' });
    vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    const said: string[] = [];
    for (let time = 0; time < 6; time += 1) {
      const { body, headers } = await narrow.client(stranger).send('GET', '/v1/sessions/current');
      said.push((body as { message: string }).message);
      expect(headers.connection).toBe('close');
    }
    expect(said.slice(0, 4)).toEqual(Array(4).fill('this certificate is not an enrolled station'));
    expect(said.slice(4)).toEqual(Array(2).fill('this certificate was refused too often'));
    expect((await narrow.client().send('GET', '/v1/sessions/current')).status).toBe(200);
  });
});

describe('a line', () => {
  it('ends with an answer when it is a quarter of an hour old', async () => {
    const client = https.client();
    const first = await client.send('GET', '/v1/health');
    expect(first.headers.connection).toBe('keep-alive');
    const real = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => real() + 16 * 60_000);
    expect((await client.send('GET', '/v1/health')).headers.connection).toBe('close');
    expect((await client.send('GET', '/v1/health')).headers.connection).toBe('keep-alive');
  });

  it('carries one request at a time: with a second it is closed, and none of a thousand more is begun', async () => {
    const line = await lineOf(https, await enrolled(https, 'pipelining'));
    const before = https.log.length;
    line.write('GET /v1/ready HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000));
    expect((await closing(line)).match(/HTTP\/1.1/g) ?? []).toHaveLength(0);
    expect(https.log.length - before).toBeLessThan(5);
  });

  it('too many of one station close the one it has not used for longest; of one at work none is closed', async () => {
    const identity = await enrolled(narrow, 'hoarder');
    const kept: TLSSocket[] = [];
    for (let count = 0; count < 4; count += 1) kept.push(await lineOf(narrow, identity));
    const [eldest, ...others] = kept;
    if (eldest === undefined) throw new Error('four lines');
    await closing(eldest);
    for (const line of others) {
      line.write(
        `POST /v1/receipts HTTP/1.1\r\n${JSON_HEADERS}Expect: 100-continue\r\nContent-Length: 10\r\n\r\n`,
      );
      await once(line, 'data');
    }
    const late = await lineOf(narrow, identity);
    await closing(late);
    expect(others.map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
    // Another station is none the worse for it.
    expect((await narrow.client().send('GET', '/v1/sessions/current')).status).toBe(200);
  });

  it('too many of one address are closed before they are spoken to; and so is every line of one that failed again and again', async () => {
    const kept = [await plainLine(narrow)];
    while (kept.length < 13) kept.push(await plainLine(narrow));
    await Promise.race(kept.map((line) => closing(line)));
    expect(kept[0]?.destroyed).toBe(false);
    // None of these came to the end of its handshake.
    for (const line of kept) line.destroy();
    const comesIn = () =>
      narrow
        .client()
        .send('GET', '/v1/sessions/current')
        .then(
          ({ status }) => status === 200,
          () => false,
        );
    await vi.waitUntil(async () => !(await comesIn()), PATIENT);
    const real = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => real() + 60_000);
    await vi.waitUntil(comesIn, PATIENT);
  });

  it('that does not come to a handshake, or to a request, is closed after ten seconds', async () => {
    const silent = await plainLine(https);
    const idle = await lineOf(https, https.station);
    const slow = await lineOf(https, https.station);
    slow.write('GET /v1/health HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    const begun = performance.now();
    const said = await Promise.all([silent, idle, slow].map((line) => closing(line)));
    expect(performance.now() - begun).toBeLessThan(25_000);
    expect(said.slice(1)).toEqual(Array(2).fill(expect.stringContaining('HTTP/1.1 408')));
  });

  it('headers longer than 8 KiB get an answer of their own', async () => {
    const line = await lineOf(https, https.station);
    line.write(`GET /v1/health HTTP/1.1\r\nHost: x\r\n${`X: ${'x'.repeat(1_000)}\r\n`.repeat(9)}\r\n`);
    expect(await closing(line)).toMatch(/^HTTP\/1.1 431 /);
  });
});

describe('receipts', () => {
  it("one station's junk does not keep another's waiting behind all of it", async () => {
    const { vault } = https.rig.context;
    const unseal = vault.unseal.bind(vault);
    let calls = 0;
    vi.spyOn(vault, 'unseal').mockImplementation(async (...given) => {
      calls += 1;
      return unseal(...given);
    });
    const junk = { apiLevel: 1, receipts: Array(20).fill(Buffer.alloc(80, 1).toString('base64url')) };
    const rogue = https.client(await enrolled(https, 'junk'));
    let over = false;
    const flood = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (!over) await rogue.post('/v1/receipts', junk);
      }),
    );
    await vi.waitUntil(() => calls > 20, PATIENT);
    const honest = https.client(await enrolled(https, 'honest'));
    for (let time = 0; time < 5; time += 1) {
      const before = calls;
      const answer = await honest.post('/v1/receipts', { ...junk, receipts: junk.receipts.slice(0, 1) });
      expect(answer).toMatchObject({ status: 200, body: { refused: 1 } });
      // What was under way when it came, and its own.
      expect(calls - before).toBeLessThanOrEqual(41);
    }
    over = true;
    await flood;
  });
});

function closeAndRestore(): void {
  for (const socket of open.splice(0)) socket.destroy();
  shift = 0;
  vi.restoreAllMocks();
}

const open: Socket[] = [];

const JSON_HEADERS = 'Host: x\r\nContent-Type: application/json\r\n';

async function enrolled(rig: HttpsRig, name: string, validity: { notAfter?: Date } = {}): Promise<Identity> {
  const identity = await rig.authority.issue({ name, use: 'client', ...validity });
  await writeStation(rig.rig.context.store, name, new X509Certificate(identity.certificate));
  return identity;
}

/** A line of the test's own, its handshake done. */
async function lineOf(rig: HttpsRig, identity: Identity, session?: Buffer): Promise<TLSSocket> {
  const line = tlsConnect({
    host: '127.0.0.1',
    port: rig.port,
    ca: rig.authority.certificate,
    cert: identity.certificate,
    key: identity.key,
    ...(session === undefined ? {} : { session }),
  });
  open.push(line);
  line.on('error', () => undefined);
  await once(line, 'secureConnect');
  return line;
}

/** A TCP connection on which nothing is said. */
async function plainLine(rig: HttpsRig): Promise<Socket> {
  const line = connect(rig.port, '127.0.0.1');
  open.push(line);
  line.on('error', () => undefined);
  await once(line, 'connect');
  return line;
}

/** What came on a line until the other side closed it. */
function closing(line: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = '';
    const late = setTimeout(() => reject(new Error(`the line is still open; it said: ${got}`)), LIMIT);
    line.on('data', (part: Buffer) => {
      got += part.toString('utf8');
    });
    const done = () => {
      clearTimeout(late);
      resolve(got);
    };
    if (line.destroyed) done();
    else line.on('close', done);
  });
}
