import { closeSync, openSync, readdirSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../../app/station/jobs/journal/rows.ts';
import { olderOutcome } from '../../support/older-forms.ts';
import type { Batch, Journal, Outcome } from '../../support/stations.ts';
import { KaikaError, newJobRequest, openJournal, temporaryFolder } from '../../support/stations.ts';

let folder: string;
let journal: Journal;
beforeEach(openFresh);
afterEach(closeAndRemove);

describe('each step is there after a reopening', () => {
  it('from the request to the end', () => {
    const one = newJobRequest();
    const again = () => {
      journal.close();
      journal = openJournal(folder, RESERVE);
      return journal.find(one.requestId);
    };
    journal.begin(one, '6200000000000001', 1000);
    expect(again()).toMatchObject({ phase: 'requested', request: one, epoch: 0, bound: true, created: 1000 });
    journal.write(one.requestId, { kind: 'batch', batch: batch(1), started: true, taken }, 1000);
    expect(again()).toMatchObject({
      phase: 'started',
      job: taken.job,
      batch: batch(1),
      effect: null,
    });
    journal.noteEffect(one.requestId, 0);
    expect(again()).toMatchObject({ phase: 'started', effect: 0 });
    const answers = { apiLevel: 1 as const, cardEpoch: 1, answers: ['9000'], cardEvent: 'removed' as const };
    journal.write(one.requestId, { kind: 'answers', seq: 1, answers, bound: false }, 1000);
    expect(again()).toMatchObject({
      phase: 'answered',
      seq: 1,
      answers,
      epoch: 1,
      bound: false,
    });
    expect(again()).not.toHaveProperty('batch');
    journal.write(one.requestId, { kind: 'batch', batch: batch(2), started: false }, 1000);
    expect(again()).toMatchObject({ phase: 'replied', batch: batch(2), bound: false, job: taken.job });
    journal.write(one.requestId, { kind: 'start' }, 1000);
    expect(again()).toMatchObject({ phase: 'started', bound: true });
    journal.write(one.requestId, { kind: 'end', how: { error: 'job-superseded' } }, 2000);
    expect(again()).toMatchObject({ phase: 'ended', outcome: null, error: 'job-superseded' });
    expect(journal.unfinished()).toEqual([]);
    expect(() => journal.noteEffect(one.requestId, 1)).toThrow('not in the journal');
  });

  it('in a write-ahead log', () => {
    const database = new Database(join(folder, 'journal.db'));
    expect(database.pragma('journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    database.close();
  });
});

it('a key write that was answered is in no file of the folder', () => {
  const one = newJobRequest();
  journal.begin(one, '6200000000000001', 0);
  journal.write(one.requestId, { kind: 'batch', batch: batch(1, KEY_WRITE), started: true, taken }, 0);
  const held = () =>
    readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes('5EC2E75EC2E7'));
  expect(held()).toBe(true);
  const answers = { apiLevel: 1 as const, cardEpoch: 0, answers: ['9000'] };
  journal.write(one.requestId, { kind: 'answers', seq: 1, answers, bound: true }, 0);
  journal.scrub();
  expect(held()).toBe(false);
});

it('a file of a newer version is not touched', () => {
  journal.close();
  const database = new Database(join(folder, 'journal.db'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  expect(refusal()).toEqual({ code: 'station-journal-newer', details: { file: 'journal.db' } });
  const fixed = new Database(join(folder, 'journal.db'));
  fixed.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  fixed.close();
  journal = openJournal(folder, RESERVE);
});

it.each<readonly [string, (file: string) => void]>([
  ['cut short', (file) => truncateSync(file, 2_000)],
  ['with something else at its beginning', (file) => overwrite(file, 0, 100)],
  ['damaged inside', (file) => overwrite(file, 4_096, 4_096)],
])('a file that is %s is told as that', (_what, damage) => {
  for (let job = 0; job < 40; job += 1) journal.begin(newJobRequest(), '6200000000000001', job);
  journal.close();
  damage(join(folder, 'journal.db'));
  expect(refusal()).toEqual({ code: 'station-journal-damaged', details: { file: 'journal.db' } });
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  journal = openJournal(folder, RESERVE);
});

it('a file that another process holds is told as that, and opened when it is let go', () => {
  journal.close();
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  const other = new Database(join(folder, 'journal.db'));
  other.exec('BEGIN EXCLUSIVE');
  expect(refusal()).toEqual({ code: 'station-journal-held', details: { file: 'journal.db' } });
  other.exec('ROLLBACK');
  other.close();
  journal = openJournal(folder, RESERVE);
});

it('lost tries are kept by card and key', () => {
  journal.noteTriesLost('6200000000000001', 'e-wallet/mck', 1);
  journal.noteTriesLost('6200000000000001', 'e-wallet/mck', 2);
  journal.noteTriesLost('6200000000000001', 'isd/channel', 1);
  journal.noteTriesLost('6200000000000001', 'isd/channel', 0);
  journal.close();
  journal = openJournal(folder, RESERVE);
  expect(journal.triesLost('6200000000000001')).toEqual({ 'e-wallet/mck': 2 });
  expect(journal.triesLost('6200000000000002')).toEqual({});
});

it('a job that cannot be read back is set aside, the others go on', () => {
  const [bad, good] = [newJobRequest(), newJobRequest()];
  journal.begin(bad, '6200000000000001', 1);
  journal.begin(good, '6200000000000002', 2);
  journal.close();
  const database = new Database(join(folder, 'journal.db'));
  database.exec(`UPDATE jobs SET request = '{"half' WHERE requestId = '${bad.requestId}'`);
  database.close();
  journal = openJournal(folder, RESERVE);
  expect(journal.unfinished().map((job) => job.requestId)).toEqual([good.requestId]);
  expect(journal.find(bad.requestId)).toMatchObject({ phase: 'ended', error: 'internal' });
});

it('an outcome as older versions kept it is read', () => {
  const one = newJobRequest();
  journal.begin(one, '6200000000000001', 1);
  const outcome: Outcome = {
    result: 'complete',
    card: '6200000000000001',
    apps: [
      { app: 'e-wallet', before: 'installed', after: 'enabled', keyVersions: { mck: 1, mtk: null } },
      { app: 'transit', before: 'missing', after: 'enabled', keyVersions: { mck: 2, mtk: 2 } },
    ],
    deleted: [],
    trips: 5,
    plannedTrips: 5,
  };
  journal.write(one.requestId, { kind: 'end', how: { outcome } }, 2);
  journal.close();
  const database = new Database(join(folder, 'journal.db'));
  database.prepare('UPDATE jobs SET outcome = ?').run([JSON.stringify(olderOutcome(outcome))]);
  database.close();
  journal = openJournal(folder, RESERVE);
  expect(journal.find(one.requestId)).toMatchObject({ phase: 'ended', outcome });
});

it('an end that cannot be tidied up after is not there at all, and can be written again', () => {
  const one = newJobRequest();
  journal.begin(one, '6200000000000001', 0);
  const end = () => journal.write(one.requestId, { kind: 'end', how: { error: 'internal' } }, 5);
  const database = new Database(join(folder, 'journal.db'));
  database.exec(`CREATE TRIGGER full BEFORE DELETE ON jobs BEGIN SELECT RAISE(ABORT, 'no room'); END;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2001)
    INSERT INTO jobs (requestId, created, reader, identification, phase, epoch, bound, abandoned, ended)
    SELECT 'old-' || i, 0, 'A', '62', 'ended', 0, 0, 0, 0 FROM n;`);
  expect(end).toThrow('no room');
  expect(journal.find(one.requestId)).toMatchObject({ phase: 'requested' });
  database.exec('DROP TRIGGER full');
  database.close();
  end();
  expect(journal.find(one.requestId)).toMatchObject({ phase: 'ended', error: 'internal' });
});

it('keeps small facts', () => {
  journal.setFact('serverTime', 5);
  journal.setFact('serverTime', 6);
  expect(journal.fact('serverTime')).toBe(6);
  expect(journal.fact('other')).toBeUndefined();
});

function openFresh(): void {
  folder = temporaryFolder();
  journal = openJournal(folder, RESERVE);
}

function closeAndRemove(): void {
  journal.close();
  rmSync(folder, { recursive: true, force: true });
}

const RESERVE = { reserve: { reserveBytes: 64 * 1024, freeBytes: 1 }, patienceMs: 0 };

/** What opening is refused with. */
function refusal(): { code: string; details: object } | undefined {
  try {
    openJournal(folder, RESERVE).close();
  } catch (error) {
    if (error instanceof KaikaError) return { code: error.code, details: error.details };
    throw error;
  }
  return undefined;
}

function overwrite(file: string, at: number, length: number): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, Buffer.alloc(length, 0x55), 0, length, at);
  closeSync(descriptor);
}

const KEY_WRITE = `84D439001C${'5EC2E7'.repeat(9)}01`;

const batch = (seq: number, apdu = '80F00101'): Batch => ({
  seq,
  cardEpoch: 0,
  commands: [{ apdu, accept: ['9000'], effect: true, label: { step: 'write-master-control-key' } }],
});

const taken = {
  job: 'job-00000001',
  plan: { steps: [], trips: 5, memory: { needed: 0, free: null } },
};
