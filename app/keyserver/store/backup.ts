/**
 * A backup of the store as lines of JSON, the same for SQLite and PostgreSQL, taken from one moment while servers run. It holds no key:
 * what the store holds enciphered (batches on their way) is left out, and so are sessions and leases. Its last line proves that a server with
 * this token wrote all of it: a backup that anybody could write would let them add operators.
 */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { z } from 'zod';
import { KaikaError } from '../../protocol/errors.ts';
import { parseJson, type Row, readRow, TABLE_NAMES, TABLES, type TableName } from './backup-rows.ts';
import { MIGRATIONS } from './migrations.ts';
import { fillVersions } from './migrations-keys.ts';
import { codeSetAside } from './migrations-set-aside.ts';
import type { Queries, Reads, Store } from './store.ts';
import { atOneMoment } from './transaction.ts';

/** Proves who wrote a backup, by the SHA-256 of all its lines but the last. */
export interface BackupSeal {
  seal(hash: Uint8Array): Promise<Uint8Array>;
  /** Whether `sealed` is what `seal` gave for this hash, under the same token. */
  isSeal(sealed: Uint8Array, hash: Uint8Array): Promise<boolean>;
}

/** Whose word is taken for a backup: the token's, or that of whoever restores it. */
export type BackupTrust = BackupSeal | 'unauthenticated';

const PAGE = 500;
const ROWS_AT_ONCE = 50;

const headSchema = z.strictObject({
  kaika: z.literal('backup'),
  /** 1: only hashed; 2: sealed. */
  format: z.union([z.literal(1), z.literal(2)]),
  migrations: z.array(z.string()),
  taken: z.iso.datetime(),
});
type Head = z.infer<typeof headSchema>;
const endSchema = z.strictObject({
  rows: z.number().int(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Hexadecimal. */
  seal: z
    .string()
    .regex(/^(?:[0-9a-f]{2})+$/)
    .optional(),
});
type End = z.infer<typeof endSchema>;

/** Writes a backup to `file`, whole or not at all. Gives the number of rows. @throws what `seal` throws */
export async function writeBackup(store: Store, file: string, now: Date, seal: BackupSeal): Promise<number> {
  const making = `${file}.making`;
  rmSync(making, { force: true });
  const out = openSync(making, 'wx', 0o600);
  const hash = createHash('sha256');
  const say = (value: unknown) => {
    const line = `${JSON.stringify(value)}\n`;
    hash.update(line);
    writeSync(out, line);
  };
  try {
    say({ kaika: 'backup', format: 2, migrations: Object.keys(MIGRATIONS), taken: now.toISOString() });
    let rows = 0;
    await atOneMoment(store, async (db) => {
      for (const table of TABLE_NAMES) rows += await sayTable(db, table, say);
    });
    const digest = hash.digest();
    const sealed = Buffer.from(await seal.seal(digest)).toString('hex');
    writeSync(out, `${JSON.stringify({ rows, sha256: digest.toString('hex'), seal: sealed })}\n`);
    fsyncSync(out);
    closeSync(out);
    renameSync(making, file);
    return rows;
  } catch (error) {
    rmSync(making, { force: true });
    throw error;
  }
}

async function sayTable(db: Reads, table: TableName, say: (value: unknown) => void): Promise<number> {
  const order = sql.join(TABLES[table].map((column) => sql.ref(column)));
  for (let at = 0; ; ) {
    const { rows } = await sql<Record<string, unknown>>`
      select * from ${sql.table(table)} order by ${order} limit ${sql.lit(PAGE)} offset ${sql.lit(at)}`.execute(
      db,
    );
    for (const row of rows)
      say({ table, row: table === 'job_steps' ? { ...row, sealed: null, receipt: null } : row });
    at += rows.length;
    if (rows.length < PAGE) return at;
  }
}

/** A backup that was found whole, and of whom it was to be. */
interface Backup {
  /**
   * Fills the tables of an empty store, inside the caller's transaction.
   * @throws KaikaError `server-store-failed` for a store that is not empty, and when anything in the file is not as it has to be: nothing of it
   * may be kept then
   */
  fill(db: Queries): Promise<void>;
}

/** @throws KaikaError `server-store-failed` for a file that is damaged, of a newer version, of somebody else, or no backup; what the seal throws */
export async function readBackup(file: string, trust: BackupTrust): Promise<Backup> {
  const { head, end } = await checkFile(file);
  if (trust !== 'unauthenticated') await checkSeal(head, end, trust);
  const older = Object.keys(MIGRATIONS).some((name) => !head.migrations.includes(name));
  return {
    async fill(db) {
      await refuseFull(db);
      const pending = new Map<TableName, Row[]>();
      const flush = async (table: TableName, least: number) => {
        const rows = pending.get(table) ?? [];
        if (rows.length < least) return;
        await insertRows(db, table, rows);
        pending.delete(table);
      };
      const hash = createHash('sha256');
      for await (const { line, place } of linesBut(file, hash)) {
        if (place === 0) continue;
        const kept = readRow(parseJson(line), older);
        if (kept === undefined)
          throw new KaikaError('server-store-failed', `line ${place + 1} of the backup is not a row of it`);
        for (const [into, values] of kept) {
          pending.set(into, [...(pending.get(into) ?? []), values]);
          await flush(into, ROWS_AT_ONCE);
        }
      }
      // Somebody may have put another file in its place since it was checked.
      if (hash.digest('hex') !== end.sha256)
        throw new KaikaError('server-store-failed', 'the backup was changed while it was read');
      for (const table of pending.keys()) await flush(table, 1);
      await fillVersions(db);
      await codeSetAside(db);
    },
  };
}

/** Rows that have the same columns, in one statement. */
async function insertRows(db: Queries, table: TableName, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {}).sort();
  const same = rows.every((row) => Object.keys(row).sort().join() === columns.join());
  if (!same)
    throw new KaikaError('server-store-failed', `rows of ${table} in the backup have different columns`);
  const tuples = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column] ?? null))})`);
  await sql`insert into ${sql.table(table)} (${sql.join(columns.map((one) => sql.ref(one)))}) values ${sql.join(tuples)}`.execute(
    db,
  );
}

async function refuseFull(db: Queries): Promise<void> {
  // The first statement is a write, though it deletes nothing: on SQLite it locks the file for this transaction.
  await db.deleteFrom('sessions').where('expires', '<', '0').execute();
  for (const table of ['cards', 'jobs', 'operators', 'stations', 'audit'] as const) {
    const row = await db.selectFrom(table).selectAll().limit(1).executeTakeFirst();
    if (row !== undefined)
      throw new KaikaError(
        'server-store-failed',
        `the store is not empty (${table}): restore into a new one`,
      );
  }
}

/** First and last line of a file whose hash is right. */
async function checkFile(file: string): Promise<{ readonly head: Head; readonly end: End }> {
  const hash = createHash('sha256');
  let head: Head | undefined;
  let lines = 0;
  let last = '';
  for await (const { line, place, end } of linesBut(file, hash)) {
    if (place === 0) head = readHead(line);
    lines = place + 1;
    last = end;
  }
  const end = endSchema.safeParse(parseJson(last));
  if (
    head === undefined ||
    !end.success ||
    end.data.rows !== lines - 1 ||
    end.data.sha256 !== hash.digest('hex')
  )
    throw new KaikaError('server-store-failed', 'the backup is not whole: take another one');
  return { head, end: end.data };
}

function readHead(line: string): Head {
  const head = headSchema.safeParse(parseJson(line));
  if (!head.success) throw new KaikaError('server-store-failed', 'the file is not a backup of a key server');
  const newer = head.data.migrations.filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (newer.length > 0)
    throw new KaikaError('server-store-failed', `the backup is of a newer version (${newer.join(', ')})`);
  return head.data;
}

async function checkSeal({ format }: Head, { seal, sha256 }: End, trust: BackupSeal): Promise<void> {
  if (format === 1)
    throw new KaikaError(
      'server-store-failed',
      'the backup is of an older version and does not prove who wrote it: only --unauthenticated takes it, on your word',
    );
  if (seal === undefined || !(await trust.isSeal(Buffer.from(seal, 'hex'), Buffer.from(sha256, 'hex'))))
    throw new KaikaError(
      'server-store-failed',
      'the backup was not written by a server with this token, or was changed: only --unauthenticated takes it, on your word',
    );
}

interface Line {
  readonly line: string;
  readonly place: number;
  /** What stands behind it: behind the last of these lines, the end of the backup. */
  readonly end: string;
}

/** Every line of a file but the last, which is not in `hash`. A first line that is the only one is given too, so that it can be looked at. */
async function* linesBut(file: string, hash: Hash): AsyncGenerator<Line> {
  const lines = createInterface({
    input: createReadStream(file, 'utf8'),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  let before: string | undefined;
  let place = 0;
  for await (const line of lines) {
    if (before !== undefined) {
      hash.update(`${before}\n`);
      yield { line: before, place, end: line };
      place += 1;
    }
    before = line;
  }
  if (place === 0) yield { line: before ?? '', place, end: '' };
}
