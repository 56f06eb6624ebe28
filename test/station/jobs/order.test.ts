/** What is on the disk before what leaves the station (design §3), seen from outside the job loop. */
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openVirtualReaders } from '../../../app/simulator/virtual-reader.ts';
import type { JobPorts } from '../../../app/station/jobs/job-ports.ts';
import type { Write } from '../../../app/station/jobs/machine/events.ts';
import { Job } from '../../../app/station/jobs/runner.ts';
import { CardLink } from '../../../app/station/readers/card-link.ts';
import { ScriptedCard } from '../../support/scripted-card.ts';
import { ScriptedServer } from '../../support/scripted-server.ts';
import { scriptedCatalogue, temporaryFolder } from '../../support/station.ts';
import type { Journal, VirtualReaders } from '../../support/stations.ts';
import { away, newJobRequest, noLog, openJournal, ServerLine, systemClock } from '../../support/stations.ts';

let folder: string;
let journal: Journal;
let readers: VirtualReaders;
let order: string[];
let server: ScriptedServer;
let card: ScriptedCard;
let ports: JobPorts;

beforeEach(openPorts);
afterEach(closePorts);

it('request, then POST; reply and started, then the card; effect, then its command; answers, then POST', async () => {
  const one = await link();
  const job = Job.begin(ports, request, '6200000000000001');
  void job.attach(one);
  await job.run();
  expect(order).toEqual([
    'disk: request',
    'post: job',
    'disk: reply and started',
    'card: 0084',
    'disk: effect 1',
    'card: 80F0',
    'disk: answers 1',
    'post: answers 1',
    'disk: end',
  ]);
  expect(job.view().state.kind).toBe('done');
});

it('answers are kept, and posted as they are, until the reply is stored', async () => {
  const one = await link();
  let lost = 1;
  server.after = (what) => {
    if (what === 'answers 1' && lost > 0) {
      lost -= 1;
      expect(journal.find(request.requestId)).toMatchObject({ phase: 'answered', seq: 1 });
      throw away(true);
    }
  };
  const job = Job.begin(ports, request, '6200000000000001');
  void job.attach(one);
  await job.run();
  expect(order.filter((what) => what.startsWith('post: answers'))).toEqual([
    'post: answers 1',
    'post: answers 1',
  ]);
  expect(server.answers[0]).toEqual(server.answers[1]);
});

it.each([
  [null, { answers: [], stoppedAt: 0, reached: false, cardEvent: 'lost', cardEpoch: 1 }],
  [1, { answers: [], stoppedAt: 1, reached: true, cardEvent: 'lost', cardEpoch: 1 }],
])(
  'a batch that was started before a crash, last effect %s, is reported and never run',
  async (effect, report) => {
    // An earlier life: the reply is on the disk with "started", the server has it too.
    journal.begin(request, '6200000000000001', 0);
    const reply = await server.postJob(request);
    if (reply.batch === undefined) throw new Error('no batch');
    journal.write(
      request.requestId,
      { kind: 'batch', batch: reply.batch, started: true, taken: { job: reply.job, plan: reply.plan } },
      0,
    );
    if (effect !== null) journal.noteEffect(request.requestId, effect);
    const [row] = journal.unfinished();
    if (row === undefined) throw new Error('no job');
    order = [];

    const job = Job.resume(ports, row);
    const done = job.run();
    await expect.poll(() => server.answers).toMatchObject([report]);
    expect(order.filter((what) => what.startsWith('card'))).toEqual([]);
    await expect.poll(() => job.view().state.kind).toBe('waiting-for-card');
    void job.attach(await link());
    await done;
    expect(order.slice(0, 3)).toEqual(['disk: answers 1', 'post: answers 1', 'disk: reply']);
    expect(order[3]).toBe('disk: started');
    expect(job.view().state.kind).toBe('done');
  },
);

function openPorts(): void {
  folder = temporaryFolder();
  const disk = openJournal(folder, { reserve: { reserveBytes: 1024, freeBytes: 1 } });
  order = [];
  journal = {
    ...bound(disk),
    begin: (...given) => note('disk: request', () => disk.begin(...given)),
    write: (id, what, now) => note(`disk: ${nameOf(what)}`, () => disk.write(id, what, now)),
    noteEffect: (id, index) => note(`disk: effect ${index}`, () => disk.noteEffect(id, index)),
  };
  readers = openVirtualReaders(['A']);
  card = new ScriptedCard();
  card.delay = async (command) => void order.push(`card: ${command.slice(0, 4)}`);
  server = new ScriptedServer();
  server.steps = 1;
  server.before = (what) => void order.push(`post: ${what}`);
  ports = {
    journal,
    server,
    line: new ServerLine(systemClock, () => undefined),
    catalogue: scriptedCatalogue(),
    lastTries: false,
    clock: systemClock,
    log: noLog,
    token: () => undefined,
    onChange: () => undefined,
    startLimitMs: 1_000,
  };
}

async function closePorts(): Promise<void> {
  await readers.close();
  journal.close();
  rmSync(folder, { recursive: true, force: true });
}

const request = newJobRequest();

function nameOf(what: Write): string {
  switch (what.kind) {
    case 'batch':
      return `reply${what.started ? ' and started' : ''}`;
    case 'start':
      return 'started';
    case 'answers':
      return `answers ${what.seq}`;
    case 'abandon':
      return 'given up';
    case 'end':
      return 'end';
  }
}

function note<T>(what: string, act: () => T): T {
  order.push(what);
  return act();
}

/** The methods of the journal without its `this`. */
function bound(disk: Journal): Journal {
  return {
    hasRoom: () => disk.hasRoom(),
    begin: (...given) => disk.begin(...given),
    write: (...given) => disk.write(...given),
    noteEffect: (...given) => disk.noteEffect(...given),
    unfinished: () => disk.unfinished(),
    find: (...given) => disk.find(...given),
    receiptsFor: (...given) => disk.receiptsFor(...given),
    receiptsSent: (...given) => disk.receiptsSent(...given),
    triesLost: (...given) => disk.triesLost(...given),
    noteTriesLost: (...given) => disk.noteTriesLost(...given),
    scrub: () => disk.scrub(),
    fact: (...given) => disk.fact(...given),
    setFact: (...given) => disk.setFact(...given),
    close: () => disk.close(),
  };
}

async function link(): Promise<CardLink> {
  readers.insert('A', card);
  return new CardLink(await readers.connect('A'));
}
