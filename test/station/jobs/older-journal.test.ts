import { randomUUID } from 'node:crypto';
import Database from 'libsql';
import { expect, it } from 'vitest';
import { resumed } from '../../../app/station/jobs/machine/resume.ts';
import { freshFolder } from '../../support/folders.ts';
import { type AnswersRequest, type Batch, newJobRequest, openJournal } from '../../support/stations.ts';

const folder = freshFolder('journal');

it('jobs that an earlier program left are read in the phase they were in, and go on from there', () => {
  writeOldFile();
  const journal = openJournal(folder(), RESERVE);
  const jobs = new Map(journal.unfinished().map((row) => [row.requestId, resumed(row)]));
  expect([...jobs.values()].map(({ kind }) => kind)).toEqual([
    'requested',
    'replied',
    'stopped',
    'stopped',
    'answered',
  ]);
  expect(jobs.get(IDS.requested)).toMatchObject({
    request: { account: REQUEST.account },
    mayHaveArrived: true,
  });
  expect(jobs.get(IDS.replied)).toMatchObject({ job: 'job-replied1', batch: BATCH, hands: GIVEN_UP });
  // The command that was about to be sent may have reached the card: that is what the server is told.
  expect(jobs.get(IDS.started)).toMatchObject({
    batch: BATCH,
    report: { answers: [], stoppedAt: 0, reached: true },
    card: { kind: 'away', epoch: 1, event: 'lost' },
  });
  expect(jobs.get(IDS.unsent)).toMatchObject({ report: { answers: [], stoppedAt: 0, reached: false } });
  expect(jobs.get(IDS.answered)).toMatchObject({
    seq: 3,
    answers: ANSWERS,
    card: { kind: 'away', epoch: 1 },
  });
  expect(journal.find(IDS.ended)).toMatchObject({ phase: 'ended', error: 'job-superseded', outcome: null });
  expect(journal.fact('serverTime')).toBe(7);
  expect(journal.receiptsFor(1, 10)).toEqual([{ requestId: IDS.ended, receipt: 'sealed' }]);
  journal.close();
});

it('they are written on as any other, and are still there at the next start', () => {
  writeOldFile();
  const first = openJournal(folder(), RESERVE);
  first.write(IDS.started, { kind: 'answers', seq: 2, answers: ANSWERS, bound: false }, 9000);
  first.write(IDS.answered, { kind: 'batch', batch: { ...BATCH, seq: 4 }, started: false }, 9000);
  first.write(IDS.replied, { kind: 'end', how: { error: 'job-superseded' } }, 9000);
  first.close();
  const journal = openJournal(folder(), RESERVE);
  expect(journal.find(IDS.started)).toMatchObject({ phase: 'answered', seq: 2, answers: ANSWERS, epoch: 1 });
  expect(journal.find(IDS.answered)).toMatchObject({ phase: 'replied', batch: { seq: 4 } });
  expect(journal.find(IDS.replied)).toMatchObject({ phase: 'ended', error: 'job-superseded' });
  journal.close();
});

const RESERVE = { reserve: { reserveBytes: 64 * 1024, freeBytes: 1 } };

const IDS = {
  requested: randomUUID(),
  replied: randomUUID(),
  started: randomUUID(),
  unsent: randomUUID(),
  answered: randomUUID(),
  ended: randomUUID(),
};
const REQUEST = newJobRequest();
const PLAN = { steps: [], trips: 5, memory: { needed: 0, free: null } };
const BATCH: Batch = {
  seq: 2,
  cardEpoch: 0,
  commands: [
    { apdu: '80F00101', accept: ['9000'], effect: true, label: { step: 'write-master-control-key' } },
  ],
};
const ANSWERS: AnswersRequest = { apiLevel: 1, cardEpoch: 1, answers: ['9000'], cardEvent: 'removed' };
const GIVEN_UP = { kind: 'given-up', shown: { kind: 'abandoned' } };

/**
 * A journal as the program before this one left it, one row of each phase. The tables and rows are written out here and not taken from the
 * product, so that a change there cannot change what is in the field.
 */
function writeOldFile(): void {
  const database = new Database(folder('journal.db'));
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE jobs (
      requestId TEXT PRIMARY KEY, created INTEGER NOT NULL, reader TEXT NOT NULL, identification TEXT NOT NULL,
      phase TEXT NOT NULL, epoch INTEGER NOT NULL, bound INTEGER NOT NULL, abandoned INTEGER NOT NULL,
      request TEXT, job TEXT, plan TEXT, seq INTEGER, batch TEXT, effect INTEGER, answers TEXT,
      outcome TEXT, error TEXT, ended INTEGER
    ) STRICT;
    CREATE INDEX jobsByPhase ON jobs (phase);
    CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    ALTER TABLE jobs ADD COLUMN receipt TEXT;
    ALTER TABLE jobs ADD COLUMN receiptSentFor INTEGER NOT NULL DEFAULT 0;
    PRAGMA user_version = 2;`);
  const batch = JSON.stringify(BATCH);
  const rows: readonly Readonly<Record<string, string | number>>[] = [
    { requestId: IDS.requested, phase: 'requested', bound: 1 },
    { requestId: IDS.replied, phase: 'replied', abandoned: 1, job: 'job-replied1', seq: 2, batch },
    { requestId: IDS.started, phase: 'started', bound: 1, job: 'job-started1', seq: 2, batch, effect: 0 },
    { requestId: IDS.unsent, phase: 'started', bound: 1, job: 'job-unsent01', seq: 2, batch },
    {
      requestId: IDS.answered,
      phase: 'answered',
      epoch: 1,
      job: 'job-answered',
      seq: 3,
      answers: JSON.stringify(ANSWERS),
    },
    { requestId: IDS.ended, phase: 'ended', job: 'job-ended001', error: 'job-superseded', ended: 8 },
  ];
  for (const [at, given] of rows.entries()) {
    const row = {
      created: at,
      reader: 'Reader A',
      identification: `620000000000000${at}`,
      epoch: 0,
      bound: 0,
      abandoned: 0,
      ...(given['phase'] === 'ended' ? { receipt: 'sealed' } : { request: JSON.stringify(REQUEST) }),
      ...('job' in given ? { plan: JSON.stringify(PLAN) } : {}),
      ...given,
    };
    const names = Object.keys(row);
    database
      .prepare(`INSERT INTO jobs (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
      .run(Object.values(row));
  }
  database.exec(`INSERT INTO facts (name, value) VALUES ('serverTime', 7)`);
  database.close();
}
