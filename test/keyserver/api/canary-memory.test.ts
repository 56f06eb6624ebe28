/**
 * Known keys and a known PIN go through every type of job, over TLS, through a real server process and a real station: afterwards, and while
 * key writes are out, none of them is in the server's memory, its log, its store, on the line, in an error, or on the station's disk. Of the
 * vault process: no PIN, and no key that passed through its buffer; what else is there `status` admits with "software token".
 */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerClient } from '../../../app/station/server/client.ts';
import { randomDigits, type Wish } from '../../support/api.ts';
import { findAll } from '../../support/key-search.ts';
import { activate, addCustodian, importVersion } from '../../support/key-versions.ts';
import { cardKey, issuersCardKey, type KnownMaster, knownToken } from '../../support/known-token.ts';
import { MOVING_TYPES } from '../../support/moving-types.ts';
import { writeOperator } from '../../support/operators.ts';
import { type OtherTypesRig, openOtherTypes } from '../../support/other-type.ts';
import { READS_MEMORY, UNREAD, writableMemory } from '../../support/process-memory.ts';
import { openServerSite, SECRET, type ServerInstance, type Site } from '../../support/site.ts';
import { openTestStation, type TestStation, until } from '../../support/station.ts';
import { storeFiles } from '../../support/stores.ts';
import { TearingDevice, type VirtualCard } from '../../support/visits.ts';

const { makeToken, masters, pins } = knownToken();

let types: OtherTypesRig;
let site: Site;
let server: ServerInstance;
let station: TestStation;

beforeAll(openEverything);
afterAll(closeEverything);

describe('every type of job', () => {
  it('enabling, loading, deleting; torn at key writes and recovered; moved to other versions; the domain’s keys changed twice', async () => {
    const plain = newCard();
    const wishes = [enable('e-wallet'), enable('campus-meal'), { app: 'transit', action: 'delete' } as const];
    expect(await serve(plain.card, plain.account, wishes)).toMatchObject(DONE);
    for (const at of [1, 2]) {
      const torn = newCard();
      expect(await serve(torn.card, torn.account, [enable('e-wallet')], at)).toMatchObject(DONE);
    }
    await knownVersion(['app/e-wallet/mck', 'app/e-wallet/mtk'], 2, 'des3-16');
    await activate(types, 'app/e-wallet', 2);
    const moved = await serve(plain.card, plain.account, [enable('identity')]);
    expect(moved.apps).toContainEqual(
      expect.objectContaining({ app: 'e-wallet', keyVersions: { mck: 2, mtk: 2 } }),
    );

    const domain = [`isd/${TYPE}/enc`, `isd/${TYPE}/mac`, `isd/${TYPE}/dek`];
    for (const version of [2, 3]) await knownVersion(domain, version, 'aes-128');
    const own = newCard(TYPE);
    for (const version of [2, 3]) {
      await activate(types, `isd/${TYPE}`, version);
      expect(await serve(own.card, own.account, [enable('e-wallet')])).toMatchObject(DONE);
      // The search is for the right keys: the card has those that are computed here.
      const enc = masters.filter(({ purpose }) => purpose === domain[0])[version - 2];
      const onCard = own.card.image.domain.keySets[0]?.keys.map(({ value }) => value) ?? [];
      if (enc === undefined) throw new Error('no master');
      expect(onCard).toContain(cardKey(enc, own.identification).toString('hex').toUpperCase());
    }
    look('at the end');
    expect([...looked].sort()).toEqual([...MOMENTS].sort());
  });

  it('left no key in store and log, on the line, or on the station’s disk', () => {
    expect(leaks.filter(({ place }) => place !== MEMORY)).toEqual([]);
  });

  it('was really looked at', () => {
    const line = heard.join('');
    for (const mark of [
      '84D439001C',
      '84D436001C',
      'write-domain-keys',
      'load-block',
      'delete-app',
      'remove-domain-keys',
    ])
      expect(line.includes(mark), mark).toBe(true);
    expect(masters.length).toBe(22 + 2 + 6);
  });

  it('left no PIN in store and log, on the line, in an error, or on the station’s disk', () => {
    for (const pin of pins) {
      const spelled = Buffer.from(pin);
      for (const hay of [server.log(), heard.join('')]) expect(hay).not.toContain(pin);
      for (const file of [...filesBelow(station.folder), ...storeFiles(types.rig.store)])
        expect(file.includes(spelled)).toBe(false);
    }
  });
});

describe.skipIf(!READS_MEMORY)(`every type of job, in memory${UNREAD}`, () => {
  it('left no key in the server’s memory, while key writes were out and afterwards', () => {
    expect(leaks.filter(({ place }) => place === MEMORY)).toEqual([]);
    // What the server does hold is found there.
    const [first] = cards;
    const text = Buffer.from(first?.identification ?? '', 'latin1');
    expect([...writableMemory(server.pid)].some((part) => part.includes(text))).toBe(true);
  });

  it('left no PIN in the server’s memory', () => {
    const memory = [...writableMemory(server.pid)];
    for (const pin of pins) expect(memory.some((part) => part.includes(Buffer.from(pin)))).toBe(false);
  });

  it('left no PIN and no app’s key in the vault process; the rest is a software token’s, as status says', async () => {
    const started = [...server.log().matchAll(/"event":"vault-started".*?"pid":(\d+)/g)];
    const pid = Number(started[started.length - 1]?.[1]);
    expect(pid).toBeGreaterThan(0);
    const memory = [...writableMemory(pid)];
    for (const pin of pins) expect(memory.some((part) => part.includes(Buffer.from(pin)))).toBe(false);
    // Keys that passed through the vault's own buffer. (SoftHSM itself leaves AES keys of cards in its memory: the token is software.)
    const written = keysToFind().filter(({ what }) => /^a card’s .* key of app\//.test(what));
    expect(written.length).toBeGreaterThan(50);
    expect(findAll(memory, written)).toEqual([]);
    const status = await types.context.vault.status();
    expect(status).toMatchObject({ softwareToken: true, newKeys: 'wiped-buffer' });
  });
});

async function openEverything(): Promise<void> {
  const added = MOVING_TYPES.filter(({ id }) => id === TYPE);
  types = await openOtherTypes(added, 'sqlite', makeToken);
  site = await openServerSite('sqlite', {}, { own: { rig: types.rig, resources: types.resources } });
  await addCustodian(types);
  const { operator, secret } = SECOND;
  await writeOperator(types.context.store, { id: operator, name: operator, secret });
  server = await site.start();
  const { client } = await site.station('counter', [server.port]);
  station = await openTestStation({ server: () => listening(client), catalogue: types.context.catalogue });
}

async function closeEverything(): Promise<void> {
  await station.close();
  await site.close();
  rmSync(types.resources, { recursive: true, force: true });
}

const TYPE = 'added';

const enable = (app: string): Wish => ({ app, action: 'enable' });

const SECOND = { operator: 'supervisor', secret: SECRET };

const WRITE_KEY = 0xd4;

/** Every body, both ways, and every refusal. */
const heard: string[] = [];

/** Batches during which the server is searched, each the first time that it is out. */
const MOMENTS = [
  'write-maintenance-key',
  'write-master-control-key',
  'load-block',
  'write-domain-keys',
  'remove-domain-keys',
];

const looked = new Set<string>();

/** What was found, and where, at each look. */
const leaks: { place: string; what: string }[] = [];

const MEMORY = 'memory';

const cards: { identification: string; account: string }[] = [];

/** The real client; what goes through it is kept, and the server is searched while a batch is out. */
function listening(client: ServerClient): ServerClient {
  const asked = async <T>(request: unknown, answer: () => Promise<T>): Promise<T> => {
    heard.push(JSON.stringify(request));
    try {
      const reply = await answer();
      heard.push(JSON.stringify(reply));
      const seen = heard[heard.length - 1] ?? '';
      const out = MOMENTS.find((step) => !looked.has(step) && seen.includes(step));
      if (out !== undefined) look(out);
      if (out !== undefined) looked.add(out);
      return reply;
    } catch (error) {
      heard.push(error instanceof Error ? `${error.message} ${error.stack} ${JSON.stringify(error)}` : '');
      throw error;
    }
  };
  return {
    signIn: (request) =>
      client.signIn(
        request.confirms === undefined ? { ...request, operator: 'clerk', secret: SECRET } : request,
      ),
    postJob: (request, ...rest) => asked(request, () => client.postJob(request, ...rest)),
    postAnswers: (job, seq, request, ...rest) =>
      asked(request, () => client.postAnswers(job, seq, request, ...rest)),
    card: (identification, ...rest) => asked(identification, () => client.card(identification, ...rest)),
    postReceipts: (request, ...rest) => asked(request, () => client.postReceipts(request, ...rest)),
    currentSession: (...rest) => asked(null, () => client.currentSession(...rest)),
    close: () => undefined,
  };
}

/** Adds versions of masters that the test knows to what is looked for. */
async function knownVersion(purposes: string[], version: number, algorithm: KnownMaster['algorithm']) {
  for (const [purpose, value] of await importVersion(
    { token: types.rig.token, context: types.context },
    purposes,
    version,
    algorithm,
  ))
    masters.push({ purpose, origin: 'issuer', algorithm, value });
}

/** All masters, and every card's keys under each. */
function keysToFind() {
  return [
    ...masters.map((one) => ({ key: one.value, what: `${one.origin} master ${one.purpose}` })),
    ...masters.flatMap((one) =>
      cards.map(({ identification, account }) => ({
        key:
          one.origin === 'factory' || one.purpose.startsWith('isd/')
            ? cardKey(one, identification)
            : issuersCardKey(one, { identification, account }),
        what: `a card’s ${one.origin} key of ${one.purpose}`,
      })),
    ),
  ];
}

function filesBelow(folder: string): Buffer[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file));
}

/** Searches the server's memory, store and log, the line and the station's disk. */
function look(when: string): void {
  const places: [string, Iterable<Buffer>][] = [
    ['store', storeFiles(types.rig.store)],
    ['log', [Buffer.from(server.log())]],
    ['line', [Buffer.from(heard.join('\n'))]],
    ['station', filesBelow(station.folder)],
    ...(READS_MEMORY ? [[MEMORY, writableMemory(server.pid)] as [string, Iterable<Buffer>]] : []),
  ];
  const keys = keysToFind();
  for (const [place, hay] of places)
    for (const what of findAll(hay, keys)) leaks.push({ place, what: `${when}: ${what}` });
}

/** Searching takes its time, and the station's process is this one. */
const waitUntil = <T>(seen: () => T | undefined | false, what: string) => until(station.engine, seen, what);

/** A purse is deleted when a second person confirms it. */
function confirmed(wishes: Wish[]): Promise<Wish[]> {
  return Promise.all(
    wishes.map(async (wish) => {
      if (wish.action !== 'delete') return wish;
      const deletion = { reader: 'A', app: wish.app };
      return { ...wish, confirmedBy: await station.engine.confirm(SECOND, deletion) };
    }),
  );
}

async function serve(card: VirtualCard, account: string, wishes: Wish[], tear?: number) {
  const torn =
    tear === undefined
      ? card
      : new TearingDevice(card, {
          at: tear,
          ins: WRITE_KEY,
          when: 'after',
          onTorn: () => station.readers.remove('A'),
        });
  station.readers.insert('A', torn);
  await waitUntil(() => station.reader().kind === 'card', 'the card to be read');
  const job = await station.engine.startJob('A', { account, wishes: await confirmed(wishes) });
  if (tear !== undefined) {
    await waitUntil(() => station.job(job)?.state.kind === 'waiting-for-card', 'the card to be missed');
    card.powerOn();
    station.readers.insert('A', card);
  }
  const outcome = await waitUntil(() => {
    const state = station.job(job)?.state;
    return state?.kind === 'done' ? state.outcome : undefined;
  }, 'the job to end');
  station.readers.remove('A');
  await waitUntil(() => station.reader().kind === 'empty', 'the reader to be empty');
  return outcome;
}

const newCard = (id?: string) => {
  const made = id === undefined ? types.rig.newCard() : types.type(id).newCard();
  const account = randomDigits(16);
  cards.push({ identification: made.identification, account });
  return { ...made, account };
};

const DONE = { result: 'complete' };
