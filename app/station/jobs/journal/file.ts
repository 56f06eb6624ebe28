/** The journal as one SQLite file in the installation's folder: write-ahead log, full sync. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { z } from 'zod';
import { KaikaError } from '../../../protocol/errors.ts';
import type { JobRequest } from '../../../protocol/wire.ts';
import type { JobEnd, Write } from '../machine/events.ts';
import { DEFAULT_RESERVE, DiskReserve } from './disk-reserve.ts';
import { guarded, inTransaction } from './faults.ts';
import type { Journal, JournalOptions, KeptReceipt } from './journal.ts';
import { type JournalJob, journalJobSchema, MIGRATIONS, type UnfinishedJob } from './rows.ts';

/**
 * Ended jobs that are kept: for whoever looks after the station, and their receipts for a server that has to be restored from a backup, some
 * days' work of a busy counter. The records proper are the server's.
 */
const ENDED_KEPT = 2_000;
const PATIENCE_MS = 2_000;

/**
 * Opens the journal, making it where there is none.
 * @throws KaikaError station-disk-full; station-journal-damaged when it cannot be read; station-journal-held when another
 * process does not let go of it; station-journal-newer when a newer version wrote it
 */
export function openJournal(folder: string, options: JournalOptions = {}): Journal {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const reserve = new DiskReserve(folder, options.reserve ?? DEFAULT_RESERVE);
  const file = join(folder, 'journal.db');
  const database = guarded(reserve, () => new Database(file, { timeout: options.patienceMs ?? PATIENCE_MS }));
  try {
    guarded(reserve, () => {
      database.exec('PRAGMA secure_delete = ON');
      database.pragma('journal_mode = WAL');
      database.exec('PRAGMA synchronous = FULL');
      checkWhole(database);
      migrate(database);
      chmodSync(file, 0o600);
    });
  } catch (error) {
    database.close();
    throw error;
  }
  const journal = new SqliteJournal(database, reserve);
  journal.scrub();
  return journal;
}

/** A page that is damaged would be met in the midst of a job; here nothing hangs on it yet. */
function checkWhole(database: Database.Database): void {
  const said = z.array(z.record(z.string(), z.unknown())).parse(database.pragma('quick_check(1)'));
  const [first] = Object.values(said[0] ?? {});
  if (first !== 'ok')
    throw new KaikaError('station-journal-damaged', 'quick_check failed', { file: 'journal.db' });
}

function migrate(database: Database.Database): void {
  const [row] = z.array(z.object({ user_version: z.number() })).parse(database.pragma('user_version'));
  const version = row?.user_version ?? 0;
  if (version > MIGRATIONS.length) {
    throw new KaikaError(
      'station-journal-newer',
      `journal of version ${version}, this program knows ${MIGRATIONS.length}`,
      { file: 'journal.db' },
    );
  }
  for (const [at, sql] of MIGRATIONS.entries()) {
    if (at < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${at + 1}; COMMIT`);
  }
}

class SqliteJournal implements Journal {
  readonly #database: Database.Database;
  readonly #reserve: DiskReserve;

  constructor(database: Database.Database, reserve: DiskReserve) {
    this.#database = database;
    this.#reserve = reserve;
  }

  hasRoom(): boolean {
    return this.#reserve.hasRoom();
  }

  begin(request: JobRequest, identification: string, now: number): void {
    this.#run(
      `INSERT INTO jobs (requestId, created, reader, identification, phase, epoch, bound, abandoned, request)
       VALUES (?, ?, ?, ?, 'requested', ?, 1, 0, ?)`,
      [request.requestId, now, request.reader, identification, request.cardEpoch, JSON.stringify(request)],
    );
  }

  noteEffect(requestId: string, index: number): void {
    this.#change(requestId, 'effect = ?', [index]);
  }

  write(requestId: string, what: Write, now: number): void {
    switch (what.kind) {
      case 'batch':
        this.#storeBatch(requestId, what);
        break;
      case 'start':
        this.#change(requestId, `phase = 'started', bound = 1, effect = NULL`, []);
        break;
      case 'answers':
        this.#change(
          requestId,
          `phase = 'answered', seq = ?, answers = ?, epoch = ?, bound = ?, batch = NULL, effect = NULL`,
          [what.seq, JSON.stringify(what.answers), what.answers.cardEpoch, what.bound ? 1 : 0],
        );
        break;
      case 'abandon':
        this.#change(requestId, 'abandoned = 1', []);
        break;
      case 'end':
        this.#end(requestId, what.how, now);
        break;
    }
  }

  receiptsFor(generation: number, limit: number): readonly KeptReceipt[] {
    const rows = this.#database
      .prepare(
        `SELECT requestId, receipt FROM jobs WHERE receipt IS NOT NULL AND receiptSentFor < ? ORDER BY created LIMIT ?`,
      )
      .all([generation, limit]);
    return z.array(z.object({ requestId: z.string(), receipt: z.string() })).parse(rows);
  }

  receiptsSent(requestIds: readonly string[], generation: number): void {
    this.#run(
      `UPDATE jobs SET receiptSentFor = ? WHERE requestId IN (${requestIds.map(() => '?').join(', ')})`,
      [generation, ...requestIds],
    );
  }

  unfinished(): readonly UnfinishedJob[] {
    const rows = this.#database.prepare(`SELECT * FROM jobs WHERE phase <> 'ended' ORDER BY created`).all();
    return rows.flatMap((row) => {
      const read = journalJobSchema.safeParse(row);
      if (read.success && read.data.phase !== 'ended') return [read.data];
      this.#setAside(row);
      return [];
    });
  }

  find(requestId: string): JournalJob | undefined {
    const row = this.#database.prepare('SELECT * FROM jobs WHERE requestId = ?').get([requestId]);
    return row === undefined ? undefined : readJob(row);
  }

  scrub(): void {
    try {
      this.#database.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // Space is short; what was dropped is overwritten next time.
    }
  }

  triesLost(card: string): Readonly<Record<string, number>> {
    const rows = this.#database.prepare('SELECT key, lost FROM tries WHERE card = ?').all([card]);
    const read = z.array(z.object({ key: z.string(), lost: z.number().int().min(0) })).parse(rows);
    return Object.fromEntries(read.map(({ key, lost }) => [key, lost]));
  }

  noteTriesLost(card: string, key: string, lost: number): void {
    if (lost === 0) this.#run('DELETE FROM tries WHERE card = ? AND key = ?', [card, key]);
    else this.#run('INSERT OR REPLACE INTO tries (card, key, lost) VALUES (?, ?, ?)', [card, key, lost]);
  }

  fact(name: string): number | undefined {
    const row = this.#database.prepare('SELECT value FROM facts WHERE name = ?').get([name]);
    return row === undefined ? undefined : z.object({ value: z.number() }).parse(row).value;
  }

  setFact(name: string, value: number): void {
    this.#run('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)', [name, value]);
  }

  close(): void {
    if (!this.#database.open) return;
    this.scrub();
    this.#database.close();
  }

  /** The answers of the step before are dropped; a receipt takes the place of an older one. */
  #storeBatch(
    requestId: string,
    { batch, started, taken, receipt }: Extract<Write, { kind: 'batch' }>,
  ): void {
    this.#change(
      requestId,
      `phase = ?, bound = max(bound, ?), seq = ?, batch = ?, effect = NULL, answers = NULL,
       job = coalesce(?, job), plan = coalesce(?, plan), receipt = coalesce(?, receipt)`,
      [
        started ? 'started' : 'replied',
        started ? 1 : 0,
        batch.seq,
        JSON.stringify(batch),
        taken?.job ?? null,
        taken === undefined ? null : JSON.stringify(taken.plan),
        receipt ?? null,
      ],
    );
  }

  /** Request, batch and answers are dropped. */
  #end(requestId: string, how: JobEnd, now: number): void {
    // One transaction: an end that is there without the tidying up could not be written again after a full disk.
    guarded(this.#reserve, () =>
      inTransaction(this.#database, () => {
        const ended = this.#write(
          `UPDATE jobs SET phase = 'ended', request = NULL, batch = NULL, answers = NULL, effect = NULL, outcome = ?,
             error = ?, receipt = coalesce(?, receipt), ended = ? WHERE requestId = ? AND phase <> 'ended'`,
          [
            how.outcome === undefined ? null : JSON.stringify(how.outcome),
            how.error ?? null,
            how.receipt ?? null,
            now,
            requestId,
          ],
        );
        mustBeOne(ended);
        this.#write(
          `DELETE FROM jobs WHERE phase = 'ended' AND requestId NOT IN
             (SELECT requestId FROM jobs WHERE phase = 'ended' ORDER BY ended DESC LIMIT ${ENDED_KEPT})`,
          [],
        );
      }),
    );
  }

  /** A row that cannot be read back must not keep the station from opening; the server still knows of the job. */
  #setAside(row: unknown): void {
    const named = z.object({ requestId: z.string() }).safeParse(row);
    if (!named.success) return;
    this.#run(
      `UPDATE jobs SET phase = 'ended', request = NULL, batch = NULL, answers = NULL, error = 'internal' WHERE requestId = ?`,
      [named.data.requestId],
    );
  }

  #change(requestId: string, columns: string, values: readonly (string | number | null)[]): void {
    const sql = `UPDATE jobs SET ${columns} WHERE requestId = ? AND phase <> 'ended'`;
    mustBeOne(this.#run(sql, [...values, requestId]));
  }

  /** A write of one statement: on a full disk once more with the reserve given up. */
  #run(sql: string, values: readonly (string | number | null)[]): number {
    return guarded(this.#reserve, () => this.#write(sql, values));
  }

  #write(sql: string, values: readonly (string | number | null)[]): number {
    return this.#database.prepare(sql).run([...values]).changes;
  }
}

function mustBeOne(changed: number): void {
  if (changed !== 1) throw new KaikaError('internal', 'a job that is not in the journal');
}

function readJob(row: unknown): JournalJob {
  const result = journalJobSchema.safeParse(row);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new KaikaError('internal', `journal: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}
