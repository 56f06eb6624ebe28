/** Receipts at the station: the newest of each job is kept, and given back once a server's store has risen to another generation. */
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReceiptsRequest } from '../../../app/protocol/receipts.ts';
import { ReceiptBook, type ReceiptBookPorts } from '../../../app/station/jobs/receipt-book.ts';
import { ServerLine } from '../../../app/station/server/line.ts';
import { newJobRequest } from '../../support/job-request.ts';
import { ScriptedCard } from '../../support/scripted-card.ts';
import { ScriptedServer } from '../../support/scripted-server.ts';
import { openTestStation, temporaryFolder, wholeLook } from '../../support/station.ts';
import type { Journal } from '../../support/stations.ts';
import { KaikaError, noLog, openJournal, RefusedError, systemClock } from '../../support/stations.ts';

let folder: string;
let journal: Journal;
let server: ScriptedServer;
let given: string[][];
let answer: () => Promise<void>;
beforeEach(openBook);
afterEach(closeBook);

describe('the journal', () => {
  it('keeps the newest receipt of a job, over its end and a restart, and those not yet given back', () => {
    const one = job(1, 'early', { receipt: 'last' });
    const two = job(2, 'only', {});
    job(3, undefined, {});
    const three = job(4, 'running');
    journal.close();
    journal = openJournal(folder, RESERVE);
    expect(journal.receiptsFor(5, 10)).toEqual([
      { requestId: one, receipt: 'last' },
      { requestId: two, receipt: 'only' },
      { requestId: three, receipt: 'running' },
    ]);
    journal.receiptsSent([one, two], 5);
    expect(journal.receiptsFor(5, 10).map(({ requestId }) => requestId)).toEqual([three]);
    expect(journal.receiptsFor(6, 2).map(({ requestId }) => requestId)).toEqual([one, two]);
  });
});

describe('giving back', () => {
  it('the first generation ever heard is where it begins; a higher one has all of them, oldest first, in parts', async () => {
    for (let at = 0; at < 45; at += 1) job(at, `receipt${at}`, {});
    const receipts = book();
    receipts.heard(1);
    await receipts.settled();
    expect(given).toEqual([]);
    receipts.heard(7);
    receipts.heard(7);
    await receipts.settled();
    expect(given.map((part) => part.length)).toEqual([20, 20, 5]);
    expect(given.flat()).toEqual(Array.from({ length: 45 }, (_, at) => `receipt${at}`));
    // Once is enough, also after a restart; an older server is none of our business.
    receipts.heard(7);
    receipts.heard(3);
    const again = book();
    again.heard(7);
    await again.settled();
    expect(given).toHaveLength(3);
  });

  it('a server that goes away in between gets the rest when it is back, and nothing twice', async () => {
    for (let at = 0; at < 25; at += 1) job(at, `receipt${at}`, {});
    const receipts = book();
    receipts.heard(1);
    let fails = 1;
    answer = async () => {
      if (given.length === 2 && fails-- > 0) throw new KaikaError('server-away');
    };
    receipts.heard(2);
    await receipts.settled();
    expect(given.map((part) => part.length)).toEqual([20, 5, 5]);
  });

  it('ended in between, the next start goes on with it', async () => {
    job(1, 'one', {});
    const receipts = book();
    receipts.heard(1);
    answer = () => Promise.reject(new KaikaError('server-away'));
    receipts.heard(2);
    await receipts.close();
    answer = async () => undefined;
    given = [];
    const next = book();
    next.heard(2);
    await next.settled();
    expect(given).toEqual([['one']]);
  });

  it('a server that will not have them does not keep a counter waiting', async () => {
    job(1, 'one', {});
    const receipts = book();
    receipts.heard(1);
    answer = () => Promise.reject(new RefusedError('not-found', '', {}, 404));
    receipts.heard(2);
    await receipts.settled();
    expect(given).toHaveLength(1);
  });

  it('a server that will not have them is asked again by the next start, and not with every answer of its', async () => {
    job(1, 'one', {});
    const receipts = book();
    receipts.heard(1);
    answer = () => Promise.reject(new RefusedError('not-found', '', {}, 404));
    receipts.heard(2);
    await receipts.settled();
    receipts.heard(2);
    receipts.heard(2);
    await receipts.settled();
    expect(given).toHaveLength(1);
    answer = async () => undefined;
    const next = book();
    next.heard(2);
    await next.settled();
    expect(given).toEqual([['one'], ['one']]);
  });

  it('that could not be noted for want of room are given again with the next answer', async () => {
    job(1, 'one', {});
    let full = true;
    const receipts = book({
      ...heldBy(journal),
      receiptsSent: (...sent) => (full ? noRoom() : journal.receiptsSent(...sent)),
    });
    receipts.heard(1);
    receipts.heard(2);
    await receipts.settled();
    full = false;
    receipts.heard(2);
    await receipts.settled();
    expect(given).toEqual([['one'], ['one']]);
    receipts.heard(2);
    await receipts.settled();
    expect(given).toHaveLength(2);
  });

  it('refused for one generation, the store that was restored again meanwhile still gets them before a job begins', async () => {
    job(1, 'one', {});
    const receipts = book();
    receipts.heard(1);
    const replies: { take: () => void; refuse: () => void }[] = [];
    answer = () =>
      new Promise((resolve, reject) => {
        replies.push({ take: resolve, refuse: () => reject(new RefusedError('not-found', '', {}, 404)) });
      });
    receipts.heard(2);
    await expect.poll(() => given.length).toBe(1);
    receipts.heard(3);
    replies[0]?.refuse();
    await expect.poll(() => given.length).toBe(2);
    let begun = false;
    const settled = receipts.settled().then(() => {
      begun = true;
    });
    receipts.heard(3);
    await new Promise(setImmediate);
    expect(begun).toBe(false);
    replies[1]?.take();
    await settled;
    expect(given).toEqual([['one'], ['one']]);
  });
});

it('a click that waits for them is for the card that was seen, not for one that was put in meanwhile', async () => {
  job(1, 'one', {});
  journal.close();
  let heard: (generation: number) => void = () => undefined;
  let taken: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    taken = resolve;
  });
  answer = () => gate;
  const station = await openTestStation({
    folder,
    server: ({ onStoreGeneration }) => {
      heard = onStoreGeneration;
      return server;
    },
  });
  try {
    heard(1);
    const card = new ScriptedCard();
    station.readers.insert('A', card);
    await station.until(() => wholeLook(station.reader()), 'the first card');
    heard(2);
    const click = station.engine.startJob('A', {
      account: '6222000000000001',
      wishes: [{ app: 'e-wallet', action: 'enable' }],
    });
    const refused = expect(click).rejects.toMatchObject({ code: 'other-card' });
    await station.until(() => given.length > 0, 'the receipts on their way');
    const other = new ScriptedCard({ identification: '6200000000000002' });
    station.readers.remove('A');
    station.readers.insert('A', other);
    await station.until(
      () => wholeLook(station.reader())?.identification === '6200000000000002',
      'the other card',
    );
    taken();
    await refused;
    expect([...card.effects, ...other.effects]).toEqual([]);
    expect(server.memory.jobs).toEqual({});
  } finally {
    await station.close();
    // What afterEach closes and removes.
    folder = temporaryFolder();
    journal = openJournal(folder, RESERVE);
  }
});

function openBook(): void {
  folder = temporaryFolder();
  journal = openJournal(folder, RESERVE);
  given = [];
  answer = async () => undefined;
  server = new ScriptedServer();
  server.postReceipts = async ({ receipts }: ReceiptsRequest) => {
    given.push([...receipts]);
    await answer();
    return { apiLevel: 1, taken: receipts.length, known: 0, refused: 0 };
  };
}

function closeBook(): void {
  journal.close();
  rmSync(folder, { recursive: true, force: true });
}

const RESERVE = { reserve: { reserveBytes: 64 * 1024, freeBytes: 1 } };

const BATCH = { seq: 1, cardEpoch: 0, commands: [] };

/** A job that went as far as a batch with this receipt, and ended where told. */
function job(at: number, receipt?: string, end?: { receipt?: string }): string {
  const request = newJobRequest();
  journal.begin(request, '6200000000000001', at);
  const kept = receipt === undefined ? {} : { receipt };
  journal.write(request.requestId, { kind: 'batch', batch: BATCH, started: true, ...kept }, at);
  if (end !== undefined) {
    journal.write(request.requestId, { kind: 'end', how: { error: 'internal', ...end } }, at);
  }
  return request.requestId;
}

/** What the book needs of a journal, without its `this`. */
function heldBy(disk: Journal): Pick<Journal, 'fact' | 'setFact' | 'receiptsFor'> {
  return {
    fact: (name) => disk.fact(name),
    setFact: (name, value) => disk.setFact(name, value),
    receiptsFor: (generation, limit) => disk.receiptsFor(generation, limit),
  };
}

function noRoom(): never {
  throw new KaikaError('station-disk-full');
}

const book = (held: ReceiptBookPorts['journal'] = journal) =>
  new ReceiptBook({
    journal: held,
    server: () => server,
    line: new ServerLine(
      systemClock,
      () => undefined,
      () => 0,
    ),
    clock: systemClock,
    log: noLog,
  });
