import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../app/protocol/wire.ts';
import type { HttpsClientOptions, ServerClient } from '../../../app/station/server/client.ts';
import { createServerClient } from '../../../app/station/server/client.ts';
import { makeAuthority, type Pem, type TestAuthority } from '../../support/certificates.ts';

let authority: TestAuthority;
let stranger: TestAuthority;
let serverPem: Pem;
let stationPem: Pem;
beforeAll(async () => {
  [authority, stranger] = await Promise.all([makeAuthority(), makeAuthority()]);
  [serverPem, stationPem] = await Promise.all([authority.issue(), authority.issue('station')]);
});
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

describe('a request', () => {
  it('goes over mutual TLS 1.3, carries the token, and its reply is checked', async () => {
    const seen: string[] = [];
    const port = await serve((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
      answer(200, { apiLevel: 1, batch: { seq: 2, cardEpoch: 0, commands: [command] } })(request, response);
    });
    const command = { apdu: '00A40400', accept: ['90'], label: { step: 'select-app' } };
    const reply = await client(port).postAnswers(
      'job-1',
      1,
      { apiLevel: 1, cardEpoch: 0, answers: [] },
      'secret-token',
    );
    expect(reply).toMatchObject({ batch: { seq: 2 } });
    expect(seen).toEqual(['POST /v1/jobs/job-1/answers/1 Bearer secret-token']);
  });

  it('is repeated on a new line when the kept one was closed', async () => {
    let count = 0;
    const port = await serve((request, response) => {
      count += 1;
      // The second request on a line finds it closed.
      if (count === 2) request.socket.destroy();
      else answer(200, REPLY)(request, response);
    });
    const one = client(port);
    await one.signIn(SIGN_IN);
    await expect(one.signIn(SIGN_IN)).resolves.toMatchObject({ token: REPLY.token });
    expect(count).toBe(3);
  });

  it('refused by the server carries its code and details', async () => {
    const port = await serve(
      answer(409, { code: 'card-in-use', message: '', requestId: 'r', details: { station: 'Branch 7' } }),
    );
    await expect(client(port).signIn(SIGN_IN)).rejects.toMatchObject({
      name: 'RefusedError',
      code: 'card-in-use',
      details: { station: 'Branch 7' },
      status: 409,
    });
  });
});

describe('server-answer-invalid', () => {
  it.each([
    ['not JSON', 200, '<html>'],
    ['another shape', 200, { ...REPLY, more: 1 }],
    ['another API level', 200, { ...REPLY, apiLevel: 2 }],
    ['too large', 200, ' '.repeat(LIMITS.bodyBytes + 1)],
    ['a proxy’s page', 502, 'Bad gateway'],
    ['a code that is the station’s own', 400, { code: 'no-reader', message: '', requestId: '' }],
  ])('%s', async (_, status, body) => {
    const port = await serve(answer(status, body));
    await expect(client(port).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-answer-invalid' });
  });
});

describe('server-away', () => {
  it('nobody listens', async () => {
    await expect(client(1).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-away', sent: false });
  });

  it('no such name', async () => {
    const one = client(1, { origins: ['https://kaika-nowhere.invalid'] });
    await expect(one.signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-away', sent: false });
  });

  it('connected and then silent', async () => {
    const port = await listen(createTcpServer(() => undefined));
    await expect(client(port).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-away', sent: false });
  });

  it('an answer that does not come may still have been taken in', async () => {
    const port = await serve(() => undefined);
    await expect(client(port).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-away', sent: true });
  });

  it('an answer cut in the middle', async () => {
    const port = await serve((request, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{');
      setTimeout(() => request.socket.destroy(), 20);
    });
    await expect(client(port).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-away', sent: true });
  });

  it('a line cut after the handshake by a server that would have us', async () => {
    const port = await serve((request) => request.socket.destroy());
    await expect(client(port).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-away', sent: true });
  });

  it('given up by the caller', async () => {
    const port = await serve(() => undefined);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    await expect(client(port).signIn(SIGN_IN, stop.signal)).rejects.toMatchObject({ code: 'server-away' });
  });
});

describe('server-refused-certificate', () => {
  it.each(['another authority', 'expired', 'not yet valid'])('%s', async (why) => {
    const port = await serve(answer(200, REPLY));
    const pem =
      why === 'another authority'
        ? await stranger.issue('station')
        : await authority.issue('station', why === 'expired' ? { from: -9, to: -8 } : { from: 8, to: 9 });
    await expect(client(port, pem).signIn(SIGN_IN)).rejects.toMatchObject({
      code: 'server-refused-certificate',
    });
  });

  it('said by a server that lets the handshake pass', async () => {
    const port = await serve(answer(403, { code: 'server-refused-certificate', message: '', requestId: '' }));
    await expect(client(port).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-refused-certificate' });
  });
});

describe('server-not-trusted', () => {
  it('another authority', async () => {
    const port = await serve(answer(200, REPLY), await stranger.issue());
    await expect(client(port).signIn(SIGN_IN)).rejects.toMatchObject({
      code: 'server-not-trusted',
      sent: false,
    });
  });

  it('another name', async () => {
    const port = await serve(answer(200, REPLY), await authority.issue('elsewhere'));
    await expect(client(port).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-not-trusted' });
  });

  it('an older TLS', async () => {
    const port = await serve(answer(200, REPLY), serverPem, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
    await expect(client(port).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-not-trusted' });
  });

  it('no TLS at all', async () => {
    const port = await listen(createTcpServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')));
    await expect(client(port).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-not-trusted' });
  });

  it('over, while the clock is known to be right', async () => {
    const port = await serve(answer(200, REPLY), await authority.issue('localhost', { from: -9, to: -8 }));
    const heard = { serverTime: Date.now() - 3_600_000, ahead: 2_000 };
    await expect(client(port, { heard }).signIn(SIGN_IN)).rejects.toMatchObject({
      code: 'server-not-trusted',
    });
    await expect(client(port).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-not-trusted' });
  });
});

// The handshake is judged by this machine's clock, which a test cannot move: the certificates are moved instead.
describe('wrong-clock', () => {
  it('the server’s certificate is not valid yet, and nothing says that the clock is right', async () => {
    const port = await serve(answer(200, REPLY), await authority.issue('localhost', { from: 300, to: 301 }));
    await expect(client(port).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'wrong-clock', sent: false });
    const heard = { serverTime: Date.now() - 60_000, ahead: 0 };
    await expect(client(port, { heard }).signIn(SIGN_IN)).rejects.toMatchObject({
      code: 'server-not-trusted',
    });
  });

  it('the clock stands before our own certificate', async () => {
    const pem = await authority.issue('station', { from: 200, to: 400 });
    const port = await serve(answer(200, REPLY), await authority.issue('localhost', { from: -9, to: -8 }));
    await expect(client(port, pem).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'wrong-clock' });
  });

  it('by the clock both certificates are over', async () => {
    const pem = await authority.issue('station', { from: -20, to: -7 });
    const port = await serve(answer(200, REPLY), await authority.issue('localhost', { from: -9, to: -8 }));
    await expect(client(port, pem).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'wrong-clock' });
  });

  it('the last answer showed that the clock is off, or came later than now', async () => {
    const port = await serve(answer(200, REPLY), await authority.issue('localhost', { from: -9, to: -8 }));
    const now = Date.now();
    for (const heard of [
      { serverTime: now - 10 * DAY, ahead: 10 * DAY - 3_600_000 },
      { serverTime: now + 3_600_000, ahead: 0 },
    ]) {
      await expect(client(port, { heard }).signIn(SIGN_IN)).rejects.toMatchObject({ code: 'wrong-clock' });
    }
  });

  it('is heard from the Date of an answer', async () => {
    const date = new Date(Date.now() - 3 * 3_600_000).toUTCString();
    const port = await serve(answer(200, REPLY, { date }));
    const heard: number[] = [];
    await client(port, { onTime: (time) => heard.push(time.ahead) }).signIn(SIGN_IN);
    expect(heard[0]).toBeGreaterThan(3 * 3_600_000 - 5_000);
    expect(heard[0]).toBeLessThan(3 * 3_600_000 + 5_000);
  });
});

describe('several origins', () => {
  const origins = (...ports: number[]) => ({ origins: ports.map((port) => `https://localhost:${port}`) });
  const counted = async (listener: RequestListener) => {
    const seen = { count: 0, port: 0 };
    seen.port = await serve((request, response) => {
      seen.count += 1;
      listener(request, response);
    });
    return seen;
  };

  it('the next one is asked when one is away, and stays', async () => {
    const second = await counted(answer(200, REPLY));
    const third = await counted(answer(200, REPLY));
    const one = client(1, origins(1, second.port, third.port));
    for (let time = 0; time < 3; time += 1) await one.signIn(SIGN_IN);
    expect([second.count, third.count]).toEqual([3, 0]);
  });

  it.each([
    ['silent', () => undefined],
    ['cut off', (request: IncomingMessage) => void request.socket.destroy()],
    ['without its store', answer(503, { code: 'server-store-failed', message: '', requestId: 'r' })],
  ] as const)('one that is there but %s is left for the next', async (_name, listener) => {
    const first = await counted(listener);
    const second = await counted(answer(200, REPLY));
    const one = client(1, origins(first.port, second.port));
    await one.signIn(SIGN_IN);
    const asked = first.count;
    await one.signIn(SIGN_IN);
    expect([first.count, second.count]).toEqual([asked, 2]);
  });

  it('a refusal is an answer: nobody else is asked', async () => {
    const first = await counted(answer(401, { code: 'sign-in-failed', message: '', requestId: 'r' }));
    const second = await counted(answer(200, REPLY));
    const one = client(1, origins(first.port, second.port));
    await expect(one.signIn(SIGN_IN)).rejects.toMatchObject({ code: 'sign-in-failed' });
    expect(second.count).toBe(0);
  });

  it('an instance that is not trusted is not passed over in silence', async () => {
    const strange = await serve(answer(200, REPLY), await stranger.issue());
    const second = await counted(answer(200, REPLY));
    await expect(client(1, origins(strange, second.port)).signIn(SIGN_IN)).rejects.toMatchObject({
      code: 'server-not-trusted',
    });
    expect(second.count).toBe(0);
  });

  it('all away: one error, that says whether any of them may have got the request, and the next time begins with another', async () => {
    const silent = await counted(() => undefined);
    const one = client(1, origins(silent.port, 1));
    await expect(one.signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-away', sent: true });
    const two = client(1, origins(1, 1));
    await expect(two.signIn(SIGN_IN)).rejects.toMatchObject({ code: 'server-away', sent: false });
    const sick = await counted(answer(503, { code: 'hsm-away', message: '', requestId: 'r' }));
    await expect(client(1, origins(sick.port, 1)).signIn(SIGN_IN)).rejects.toMatchObject({
      code: 'hsm-away',
    });
  });
});

const REPLY = {
  apiLevel: 1,
  token: 'token-of-twenty-characters',
  expires: '2030-01-01T00:00:00.000Z',
  operator: { id: 'op1', name: 'One' },
};

const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
  (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const DAY = 86_400_000;

const SIGN_IN = { apiLevel: 1 as const, operator: 'op1', secret: 'secret' };

const open: { close: () => void }[] = [];

async function listen(server: Server | TcpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function serve(listener: RequestListener, pem: Pem = serverPem, more: object = {}): Promise<number> {
  const options = {
    ...pem,
    ca: authority.ca,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3' as const,
    ...more,
  };
  return listen(createServer(options, listener));
}

function client(port: number, more: Partial<HttpsClientOptions> = {}): ServerClient {
  const made = createServerClient({
    origins: [`https://localhost:${port}`],
    ca: authority.ca,
    ...stationPem,
    connectTimeoutMs: 1_000,
    responseTimeoutMs: 500,
    clock: { now: () => Date.now() },
    ...more,
  });
  open.push(made);
  return made;
}
