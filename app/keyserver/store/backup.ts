/**
 * A backup of the store as lines of JSON, the same for SQLite and PostgreSQL, taken from one moment while servers run. It holds no key:
 * what the store holds enciphered (batches on their way) is left out, and so are sessions and leases.
 */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { z } from 'zod';
import { KaikaError } from '../../protocol/errors.ts';
import { MIGRATIONS } from './migrations.ts';
import { splitCard } from './migrations-bindings.ts';
import { fillVersions } from './migrations-keys.ts';
import { codeSetAside } from './migrations-set-aside.ts';
import type { Queries, Reads, Store } from './store.ts';
import type { Database } from './tables.ts';
import { atOneMoment } from './transaction.ts';

/** Tables of a backup, each with the columns that order its rows. */
const TABLES = {
  operators: ['id'],
  stations: ['fingerprint'],
  cards: ['id'],
  bindings: ['card', 'since'],
  card_apps: ['card', 'app'],
  card_keys: ['card', 'app', 'slot'],
  jobs: ['id'],
  job_steps: ['job', 'seq'],
  job_commands: ['job', 'seq', 'position'],
  late_answers: ['job', 'seq'],
  counters: ['scope', 'subject', 'period'],
  key_versions: ['purpose', 'version'],
  audit: ['id'],
  meta: ['key'],
} as const satisfies Partial<Record<keyof Database, readonly string[]>>;
type TableName = keyof typeof TABLES;
const NAMES = Object.keys(TABLES) as TableName[];

const PAGE = 500;
const ROWS_AT_ONCE = 50;

const headSchema = z.strictObject({
  kaika: z.literal('backup'),
  format: z.literal(1),
  migrations: z.array(z.string()),
  taken: z.iso.datetime(),
});
const rowSchema = z.strictObject({
  table: z.enum(NAMES),
  row: z.record(z.string().regex(/^[a-z_]+$/), z.union([z.string(), z.number(), z.null()])),
});
type Row = z.infer<typeof rowSchema>['row'];
const endSchema = z.strictObject({ rows: z.number().int(), sha256: z.string() });

/** Writes a backup to `file`, whole or not at all. Gives the number of rows. */
export async function writeBackup(store: Store, file: string, now: Date): Promise<number> {
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
    say({ kaika: 'backup', format: 1, migrations: Object.keys(MIGRATIONS), taken: now.toISOString() });
    let rows = 0;
    await atOneMoment(store, async (db) => {
      for (const table of NAMES) rows += await sayTable(db, table, say);
    });
    writeSync(out, `${JSON.stringify({ rows, sha256: hash.digest('hex') })}\n`);
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

/** A backup that was found whole. */
interface Backup {
  /**
   * Fills the tables of an empty store, inside the caller's transaction.
   * @throws KaikaError `server-store-failed` for a store that is not empty
   */
  fill(db: Queries): Promise<void>;
}

/** @throws KaikaError `server-store-failed` for a file that is damaged, of a newer version, or no backup */
export async function readBackup(file: string): Promise<Backup> {
  await checkFile(file);
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
      for await (const { table, row } of rowsOf(file))
        for (const [into, values] of asKeptNow(table, row)) {
          pending.set(into, [...(pending.get(into) ?? []), values]);
          await flush(into, ROWS_AT_ONCE);
        }
      for (const table of pending.keys()) await flush(table, 1);
      await fillVersions(db);
      await codeSetAside(db);
    },
  };
}

/** Rows as this version keeps them, of a row that any version wrote. */
function asKeptNow(table: TableName, row: Row): readonly (readonly [TableName, Row])[] {
  if (table !== 'cards') return [[table, row]];
  const { card, binding } = splitCard(row);
  return binding === undefined
    ? [['cards', card]]
    : [
        ['cards', card],
        ['bindings', binding],
      ];
}

async function insertRows(db: Queries, table: TableName, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {});
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

async function checkFile(file: string): Promise<void> {
  const hash = createHash('sha256');
  let last = '';
  let count = 0;
  for await (const line of linesOf(file)) {
    if (count > 0) hash.update(`${last}\n`);
    if (count === 0) refuseForeign(line);
    last = line;
    count += 1;
  }
  const end = endSchema.safeParse(parse(last));
  if (!end.success || end.data.rows !== count - 2 || end.data.sha256 !== hash.digest('hex'))
    throw new KaikaError('server-store-failed', 'the backup is not whole: take another one');
}

function refuseForeign(line: string): void {
  const head = headSchema.safeParse(parse(line));
  if (!head.success) throw new KaikaError('server-store-failed', 'the file is not a backup of a key server');
  const newer = head.data.migrations.filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (newer.length > 0)
    throw new KaikaError('server-store-failed', `the backup is of a newer version (${newer.join(', ')})`);
}

async function* rowsOf(file: string): AsyncGenerator<z.infer<typeof rowSchema>> {
  for await (const line of linesOf(file)) {
    const row = rowSchema.safeParse(parse(line));
    if (row.success) yield row.data;
  }
}

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
