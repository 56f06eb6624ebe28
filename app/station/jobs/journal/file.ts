/** The journal as one SQLite file in the installation's folder: write-ahead log, full sync. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { z } from 'zod';
import { KaikaError } from '../../../protocol/errors.ts';
import type { JobRequest } from '../../../protocol/wire.ts';
import { codeOf } from '../../lock.ts';
import type { JobEnd, Write } from '../machine/events.ts';
import { DEFAULT_RESERVE, DiskReserve } from './disk-reserve.ts';
import type { Journal, JournalOptions, KeptReceipt } from './journal.ts';
import { type JournalJob, journalJobSchema, MIGRATIONS, type UnfinishedJob } from './rows.ts';

/**
 * Ended jobs that are kept: for whoever looks after the station, and their receipts for a server that has to be restored from a backup, some
 * days' work of a busy counter. The records proper are the server's.
 */
const ENDED_KEPT = 2_000;

/**
 * Opens the journal, making it where there is none.
 * @throws KaikaError station-disk-full; `internal` when the file was written by a newer version or is damaged.
 */
export function openJournal(folder: string, options: JournalOptions = {}): Journal {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const reserve = new DiskReserve(folder, options.reserve ?? DEFAULT_RESERVE);
  const file = join(folder, 'journal.db');
  const database = guarded(reserve, () => new Database(file));
  try {
    guarded(reserve, () => {
      database.exec('PRAGMA secure_delete = ON');
      database.pragma('journal_mode = WAL');
      database.exec('PRAGMA synchronous = FULL');
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

function migrate(database: Database.Database): void {
  const [row] = z.array(z.object({ user_version: z.number() })).parse(database.pragma('user_version'));
  const version = row?.user_version ?? 0;
  if (version > MIGRATIONS.length) {
    throw new KaikaError(
      'internal',
      `journal of version ${version}, this program knows ${MIGRATIONS.length}`,
    );
  }
  for (const [at, sql] of MIGRATIONS.entries()) {
    if (at < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${at + 1}; COMMIT`);
  }
}

/** Runs a write; on a full disk once more with the reserve given up. */
function guarded<T>(reserve: DiskReserve, write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    if (reserve.release()) {
      try {
        return write();
      } catch (again) {
        if (!isDiskFull(again)) throw again;
      }
    }
    throw new KaikaError('station-disk-full', 'the journal cannot be written');
  }
}

/**
 * Several writes, all or none. SQLite rolls back by itself on a full disk (lang_transaction.html, "Response To Errors Within A
 * Transaction"); libsql's own `transaction` rolls back once more then, and throws what that says instead of SQLITE_FULL.
 */
function inTransaction(database: Database.Database, work: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    work();
    database.exec('COMMIT');
  } catch (error) {
    try {
      if (database.inTransaction) database.exec('ROLLBACK');
    } catch {
      // The first error says what is wrong.
    }
    throw error;
  }
}

/** SQLite says FULL for ENOSPC and EDQUOT on writes, and IOERR or CANTOPEN where a file beside it could not be made. */
function isDiskFull(error: unknown): boolean {
  return /^(SQLITE_FULL|SQLITE_IOERR|SQLITE_CANTOPEN|ENOSPC|EDQUOT)/.test(codeOf(error));
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
