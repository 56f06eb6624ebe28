/** Who may speak to the key server at all: TLS 1.3 with an enrolled station's certificate, and nobody else. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { makeAuthority } from '../../../app/demo/pki.ts';
import type { JobReply } from '../../support/api.ts';
import { ENABLE, httpsRig, jobReplySchema, randomDigits, runBatch, writeStation } from '../../support/api.ts';
import { batchOf, storeText } from '../../support/issuer-steps.ts';

const https = httpsRig();

describe('TLS', () => {
  it('no client certificate: no answer', async () => {
    await expect(https.client(null).send('GET', '/v1/health')).rejects.toThrow();
  });

  it('a certificate of another authority, also one with the same name: no answer', async () => {
    for (const name of ['Test authority', 'Somebody else']) {
      const other = await makeAuthority(name);
      const impostor = await other.issue({ name: 'test-station', use: 'client' });
      await expect(https.client(impostor).send('GET', '/v1/health')).rejects.toThrow();
    }
  });

  it('a certificate that has run out, or is for servers: no answer', async () => {
    const hour = 3600 * 1000;
    const past = { notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) };
    const old = await https.authority.issue({ name: 'old', use: 'client', ...past });
    await expect(https.client(old).send('GET', '/v1/health')).rejects.toThrow();
    const server = await https.authority.issue({ name: 'not-a-station', use: 'server' });
    await expect(https.client(server).send('GET', '/v1/health')).rejects.toThrow();
  });

  it('TLS 1.2: no answer', async () => {
    const old = https.client(https.station, https.port, { maxVersion: 'TLSv1.2' });
    await expect(old.send('GET', '/v1/health')).rejects.toThrow(/protocol version|EPROTO|ECONNRESET/);
  });

  it('plain HTTP: no answer', async () => {
    const got = await new Promise<string>((resolve) => {
      const socket = connect(https.port, '127.0.0.1', () =>
        socket.write('GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n'),
      );
      let text = '';
      socket.on('data', (part) => {
        text += part.toString('latin1');
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
      socket.setTimeout(5_000, () => socket.destroy());
    });
    expect(got).not.toContain('HTTP/1.1 200');
    expect(got).not.toContain('apiLevel');
  });

  it('what is not HTTP gets an error body and the end of the connection', async () => {
    const identity = { cert: https.station.certificate, key: https.station.key };
    for (const text of [
      'hello\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      `GET / HTTP/1.1\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
    ]) {
      const got = await https.raw(identity, text);
      expect(got).toMatch(/^HTTP\/1.1 4\d\d /);
      expect(got).not.toMatch(/\bat \/|node_modules|\.ts/);
    }
  });
});

describe('enrolment', () => {
  it('a certificate of the right authority that nobody enrolled signs nobody in, begins and answers no job, reads no card', async () => {
    const stranger = await https.authority.issue({ name: 'test-station', use: 'client' });
    const client = https.client(stranger);
    for (const [method, path] of [
      ['POST', '/v1/sessions'],
      ['POST', '/v1/jobs'],
      ['POST', '/v1/jobs/9b2d5e0a-3f0c-4f43-8a53-54f2d1f4a0a1/answers/1'],
      ['GET', '/v1/cards/1234567890123456'],
    ] as const) {
      const answer = await client.send(method, path, method === 'POST' ? {} : undefined);
      expect(answer, path).toMatchObject({ status: 403, body: { code: 'server-refused-certificate' } });
    }
  });

  it('revoked in the middle of a job, on an open connection: refused from the next request on', async () => {
    const identity = await https.authority.issue({ name: 'counter-7', use: 'client' });
    const { store } = https.rig.context;
    await writeStation(store, 'counter-7', new X509Certificate(identity.certificate));
    const client = https.client(identity);
    const { body } = await client.post('/v1/sessions', {
      apiLevel: 1,
      operator: 'clerk',
      secret: 'a secret of some length',
    });
    const { token } = body as { token: string };
    const { card } = https.rig.newCard();
    const asked = await https.rig.request(card, randomDigits(16), ENABLE, 'e-wallet');
    const started: JobReply = jobReplySchema.parse((await client.post('/v1/jobs', asked, token)).body);
    await store.updateTable('stations').set({ revoked: 1 }).where('name', '=', 'counter-7').execute();
    const before = await storeText(https.rig.context);
    const report = await runBatch(card, batchOf(started));
    const refused = { status: 403, body: { code: 'server-refused-certificate' } };
    expect(await client.post(`/v1/jobs/${started.job}/answers/1`, report)).toMatchObject(refused);
    expect(await client.post('/v1/jobs', { ...asked }, token)).toMatchObject(refused);
    expect(await storeText(https.rig.context)).toBe(before);
  });

  it("a station's new certificate replaces the old one", async () => {
    const [old, fresh] = [
      await https.authority.issue({ name: 'counter-8', use: 'client' }),
      await https.authority.issue({ name: 'counter-8', use: 'client' }),
    ];
    const { store } = https.rig.context;
    await writeStation(store, 'counter-8', new X509Certificate(old.certificate));
    await writeStation(store, 'counter-8', new X509Certificate(fresh.certificate));
    expect((await https.client(old).post('/v1/sessions', {})).status).toBe(403);
    expect((await https.client(fresh).post('/v1/sessions', {})).status).toBe(400);
  });
});

describe('listening', () => {
  it('on loopback and nowhere else', async () => {
    const others = Object.values(networkInterfaces())
      .flat()
      .flatMap((one) => (one !== undefined && !one.internal ? [one.address] : []));
    for (const address of others) {
      const reached = await new Promise<boolean>((resolve) => {
        const socket = connect(https.port, address);
        socket.setTimeout(1_000, () => socket.destroy());
        socket.on('connect', () => {
          socket.destroy();
          resolve(true);
        });
        socket.on('error', () => resolve(false));
        socket.on('close', () => resolve(false));
      });
      expect(reached, address).toBe(false);
    }
    if (process.platform !== 'linux') return;
    // /proc/net/tcp: local address in host byte order, port, state 0A = listening.
    const port = https.port.toString(16).toUpperCase().padStart(4, '0');
    const listening = ['/proc/net/tcp', '/proc/net/tcp6']
      .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(`:${port}`) === true && fields[3] === '0A')
      .map((fields) => fields[1]);
    expect(listening).toEqual([`0100007F:${port}`]);
  });
});
