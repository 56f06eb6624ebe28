/**
 * Knocks at the doors of real server processes as somebody would who wants to harm them: a station that was revoked, one that guesses secrets, one that
 * takes every card in hand, one whose certificate has ended. What comes out is how much of it got through; a test and the benchmark ask for it.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { z } from 'zod';
import { ENABLE } from '../forwarder.ts';
import { newRequestId, randomDigits } from '../issuer-rig.ts';
import { LIMIT } from '../limit.ts';
import { openServerSite, SECRET, type Site, type StationLine } from '../site.ts';
import type { StoreKind } from '../stores.ts';
import type { Flood } from './deep-body-flood.ts';

/** How often each thing is tried. */
export interface DoorRounds {
  /** Requests of an honest station, in peace and under attack. */
  readonly honest: number;
  /** Deep bodies of a megabyte that are under way at any time. */
  readonly deepBodies: number;
  readonly signIns: number;
  readonly leases: number;
}

export interface DoorFigures {
  /** How much longer the slowest twentieth of an honest station's requests takes while a revoked one sends deep bodies. */
  readonly deepBodiesP95Ratio: number;
  /** Wrong secrets that were looked at beyond the limit, of a burst over two instances. */
  readonly burstSignIns: number;
  /** Cards in hand of one station beyond the limit, of a burst over two instances. */
  readonly burstLeases: number;
  /** Requests that were served though their certificate had run out or was revoked: on a kept line, and on one that tried to resume. */
  readonly endedCertificatesServed: number;
}

const SECRETS = 5;
const IN_HAND = 3;

export async function attackDoors(kind: StoreKind, rounds: DoorRounds): Promise<DoorFigures> {
  const site = await openServerSite(kind, {
    signInFailures: SECRETS,
    jobsAtOnce: IN_HAND,
    requestsPerSecond: 10_000,
    refusalsPerSecond: 10,
    connectionsPerStation: 200,
  });
  try {
    const ports = [(await site.start()).port, (await site.start()).port];
    return {
      deepBodiesP95Ratio: await deepBodies(site, ports, rounds),
      burstSignIns: await signIns(site, ports, rounds.signIns),
      burstLeases: await leases(site, ports, rounds.leases),
      endedCertificatesServed: await endedCertificates(site, ports),
    };
  } finally {
    await site.close();
  }
}

async function deepBodies(site: Site, ports: readonly number[], rounds: DoorRounds): Promise<number> {
  const honest = asker(await site.line('honest', ports));
  const revoked = await site.line('revoked', ports);
  await revoke(site, 'revoked');
  const measure = async () => {
    const taken: number[] = [];
    while (taken.length < rounds.honest) {
      const begun = performance.now();
      await honest.ask(ports[0], 'GET', '/v1/sessions/current');
      taken.push(performance.now() - begun);
    }
    return taken.sort((a, b) => a - b)[Math.floor(0.95 * (taken.length - 1))] ?? 0;
  };
  try {
    await measure();
    const peace = await measure();
    const stop = await flood(revoked, ports[0] ?? 0, rounds.deepBodies);
    try {
      return Math.round((100 * (await measure())) / peace) / 100;
    } finally {
      await stop();
    }
  } finally {
    honest.close();
  }
}

const FLOOD = join(import.meta.dirname, 'deep-body-flood.ts');

/** Begins to send deep bodies; gives what ends it. */
async function flood(
  { ca, cert, key }: StationLine,
  port: number,
  lines: number,
): Promise<() => Promise<void>> {
  const child = fork(FLOOD, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  child.send({ port, lines, ca, cert, key } satisfies Flood);
  await once(child, 'message');
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

async function signIns(site: Site, ports: readonly number[], tries: number): Promise<number> {
  const rogue = asker(await site.line('guessing', ports));
  try {
    const answers = await Promise.all(
      Array.from({ length: tries }, (_, at) =>
        rogue.ask(ports[at % ports.length], 'POST', '/v1/sessions', {
          apiLevel: 1,
          operator: 'clerk',
          secret: `wrong ${at}`,
        }),
      ),
    );
    const lookedAt = answers.filter(({ code }) => code === 'sign-in-failed').length;
    return Math.max(0, lookedAt - SECRETS);
  } finally {
    rogue.close();
  }
}

async function leases(site: Site, ports: readonly number[], cards: number): Promise<number> {
  const rogue = asker(await site.line('grasping', ports));
  try {
    const signIn = { apiLevel: 1, operator: 'clerk', secret: SECRET };
    const { token } = await rogue.ask(ports[0], 'POST', '/v1/sessions', signIn);
    const asked = await Promise.all(
      Array.from({ length: cards }, () =>
        site.rig.request(site.rig.newCard().card, randomDigits(16), ENABLE),
      ),
    );
    await Promise.all(
      asked.map((one, at) =>
        rogue.ask(ports[at % ports.length], 'POST', '/v1/jobs', { ...one, requestId: newRequestId() }, token),
      ),
    );
    const held = await site.rig.context.store
      .selectFrom('leases')
      .select('card')
      .where('station', '=', 'grasping')
      .where('expires', '>', new Date().toISOString())
      .execute();
    return Math.max(0, held.length - IN_HAND);
  } finally {
    rogue.close();
  }
}

async function endedCertificates(site: Site, ports: readonly number[]): Promise<number> {
  const [port = 0] = ports;
  // Certificates count in whole seconds.
  const end = new Date(1000 * Math.floor((Date.now() + 4_000) / 1000));
  const lines = {
    ending: await site.line('ending', ports, end),
    revoked: await site.line('revoked-later', ports),
  };
  const kept = { ending: asker(lines.ending, 1), revoked: asker(lines.revoked, 1) };
  try {
    const sessions = {
      ending: await sessionOf(lines.ending, port),
      revoked: await sessionOf(lines.revoked, port),
    };
    for (const one of Object.values(kept))
      if ((await one.ask(port, 'GET', '/v1/sessions/current')).status !== 200)
        throw new Error('a certificate that is still good was refused');
    await revoke(site, 'revoked-later');
    while (Date.now() <= end.getTime()) await kept.ending.ask(port, 'GET', '/v1/health');
    let served = 0;
    for (const name of ['ending', 'revoked'] as const) {
      const answer = await kept[name].ask(port, 'GET', '/v1/sessions/current').catch(() => undefined);
      if (answer?.status === 200) served += 1;
      const session = sessions[name];
      if (session !== undefined && (await resumed(lines[name], port, session)).includes('HTTP/1.1 200'))
        served += 1;
    }
    return served;
  } finally {
    for (const one of Object.values(kept)) one.close();
  }
}

async function revoke(site: Site, name: string): Promise<void> {
  await site.rig.context.store.updateTable('stations').set({ revoked: 1 }).where('name', '=', name).execute();
}

interface Said {
  readonly status: number;
  readonly code: string | undefined;
  readonly token: string | undefined;
}

const saidSchema = z.looseObject({ code: z.string().optional(), token: z.string().optional() });

/** Asks as a program would that somebody wrote to do harm: as many lines as it likes, and nothing checked. */
function asker({ ca, cert, key }: StationLine, maxSockets = Number.POSITIVE_INFINITY) {
  const agent = new Agent({ keepAlive: true, maxSockets, ca, cert, key });
  const ask = (
    port: number | undefined,
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    token?: string,
  ): Promise<Said> =>
    new Promise((resolve, reject) => {
      const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
      const headers = {
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      };
      const sent = httpsRequest(
        { host: 'localhost', port, method, path, agent, headers, timeout: LIMIT },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', reject);
          response.on('end', () => {
            const said = saidSchema.safeParse(jsonOf(Buffer.concat(parts).toString('utf8'))).data;
            resolve({ status: response.statusCode ?? 0, code: said?.code, token: said?.token });
          });
        },
      );
      sent.on('error', reject);
      sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.end(text);
    });
  return { ask, close: () => agent.destroy() };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The session that a server gives for resuming; undefined when it gives none. */
async function sessionOf({ ca, cert, key }: StationLine, port: number): Promise<Buffer | undefined> {
  const line = tlsConnect({ host: 'localhost', port, ca, cert, key });
  let session: Buffer | undefined;
  line.on('session', (given: Buffer) => {
    session = given;
  });
  line.on('data', () => undefined);
  await once(line, 'secureConnect');
  line.write('GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await once(line, 'close');
  return session;
}

/** What comes when a session is resumed and a request made; nothing when the handshake fails. */
function resumed({ ca, cert, key }: StationLine, port: number, session: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const line = tlsConnect({ host: 'localhost', port, ca, cert, key, session }, () =>
      line.write('GET /v1/sessions/current HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
    );
    let got = '';
    line.on('data', (part: Buffer) => {
      got += part.toString('utf8');
    });
    line.on('error', () => undefined);
    line.on('close', () => resolve(got));
  });
}
