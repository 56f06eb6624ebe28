/**
 * How long it takes to find a card, and to tell all of one, among very many: `npm run bench -- records` fills stores of a million jobs, with
 * KAIKA_BENCH_JOBS of as many as one likes, and asks as an auditor does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { readCardRecord } from '../../app/keyserver/records/card-record.ts';
import { searchCards } from '../../app/keyserver/records/search.ts';
import { OWN_RESOURCES, openCatalogue } from '../../app/keyserver/resources.ts';
import { openStore, type Store } from '../../app/keyserver/store/open.ts';
import type { CardSearch } from '../../app/protocol/search.ts';
import { type Databases, openDatabases } from '../support/databases.ts';
import { NO_POSTGRESQL } from '../support/postgresql.ts';
import type { StoreKind } from '../support/stores.ts';

const JOBS = Number(process.env['KAIKA_BENCH_JOBS'] ?? 1_000_000);
const JOBS_PER_CARD = 2;
const ASKED = 200;
const DAYS = 900;
const CHUNK = 25_000;

export async function run(): Promise<unknown> {
  const figures: Record<string, unknown> = { jobs: JOBS };
  for (const kind of ['sqlite', 'postgresql'] as const) {
    if (kind === 'postgresql' && NO_POSTGRESQL !== undefined) figures[kind] = NO_POSTGRESQL;
    else figures[kind] = await measure(kind);
  }
  return figures;
}

async function measure(kind: StoreKind): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'kaika-records-'));
  let server: Databases | undefined;
  if (kind === 'postgresql') server = await openDatabases();
  const config = (await server?.database()) ?? { kind: 'sqlite', file: join(folder, 'kaika.sqlite') };
  const store = await openStore(kind === 'sqlite' ? { kind, file: join(folder, 'kaika.sqlite') } : config);
  try {
    const begun = performance.now();
    await fill(store, kind);
    await sql.raw('analyze').execute(store);
    console.log(`${kind}: ${JOBS} jobs in ${Math.round((performance.now() - begun) / 1000)} s`);
    const found: Record<string, unknown> = {};
    for (const [name, ask] of Object.entries(questions(store))) {
      const times = [];
      for (let at = 0; at < ASKED; at += 1) {
        const asked = performance.now();
        await ask(at);
        times.push(performance.now() - asked);
      }
      times.sort((a, b) => a - b);
      const p95 = round(times[Math.floor(0.95 * ASKED)] ?? 0);
      const worst = round(times.at(-1) ?? 0);
      found[name] = { p95Ms: p95, worstMs: worst };
      console.log(`${kind}, ${name}: p95 ${p95} ms, worst ${worst} ms`);
    }
    return found;
  } finally {
    await store.destroy();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function questions(store: Store): Record<string, (nth: number) => Promise<unknown>> {
  const now = new Date();
  const catalogue = openCatalogue(OWN_RESOURCES);
  const search = (asked: CardSearch) => searchCards({ store, catalogue }, asked, now);
  const card = (nth: number) => number16(1 + ((nth * 7_919) % Math.floor(JOBS / JOBS_PER_CARD)));
  const day = (nth: number) => new Date(FIRST + (nth % DAYS) * DAY_MS);
  return {
    'a card': (nth) => readCardRecord({ store, catalogue }, card(nth)),
    'by card': (nth) => search({ card: card(nth) }),
    'by account': (nth) => search({ account: card(nth) }),
    'by operator': (nth) => search({ operator: `operator-${nth % 300}` }),
    'by day': (nth) =>
      search({ from: day(nth).toISOString(), before: new Date(day(nth).getTime() + DAY_MS).toISOString() }),
    'by operator and day': (nth) =>
      search({
        operator: `operator-${nth % 300}`,
        from: day(nth).toISOString(),
        before: new Date(day(nth).getTime() + DAY_MS).toISOString(),
      }),
    'everything, page by page': async (nth) => {
      const first = await search({ limit: 100 });
      if (nth % 10 === 0 && first.next !== null) await search({ limit: 100, after: first.next });
    },
  };
}

const FIRST = Date.parse('2024-01-01T00:00:00Z');
const DAY_MS = 86_400_000;

/** In the database itself: sending so many rows would take longer than all the rest. */
async function fill(store: Store, kind: StoreKind): Promise<void> {
  const cards = Math.floor(JOBS / JOBS_PER_CARD);
  const numbers = (first: number, last: number) =>
    kind === 'postgresql'
      ? `generate_series(${first}, ${last}) as series(n)`
      : `(with recursive series(n) as (select ${first} union all select n + 1 from series where n < ${last}) select n from series) as series`;
  // A statement may take no longer than the server's own limit.
  const insert = async (most: number, statement: (rows: string) => string) => {
    for (let first = 1; first <= most; first += CHUNK)
      await sql.raw(statement(numbers(first, Math.min(most, first + CHUNK - 1)))).execute(store);
  };
  const code = kind === 'postgresql' ? `('1' || lpad(n::text, 15, '0'))` : `printf('1%015d', n)`;
  const ofCard =
    kind === 'postgresql'
      ? `('1' || lpad((1 + n % ${cards})::text, 15, '0'))`
      : `printf('1%015d', 1 + n % ${cards})`;
  const uuid = (prefix: string) =>
    kind === 'postgresql'
      ? `('${prefix}-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))`
      : `printf('${prefix}-0000-4000-8000-%012x', n)`;
  // Spread over the days as if they came in no order: an index gets no help from how they were written.
  const seconds = `(cast(n as bigint) * 7919) % ${DAYS * 86_400}`;
  const time =
    kind === 'postgresql'
      ? `to_char(timestamp '2024-01-01' + make_interval(secs => ${seconds}), 'YYYY-MM-DD"T"HH24:MI:SS".000Z"')`
      : `strftime('%Y-%m-%dT%H:%M:%S.000Z', '2024-01-01', '+' || (${seconds}) || ' seconds')`;
  const then = `'2024-01-01T00:00:00.000Z'`;
  await insert(
    cards,
    (rows) => `
      insert into cards (id, card_type, generation, set_aside, first_seen, store_generation)
      select ${code}, 'demo-scp03', ${JOBS_PER_CARD}, null, ${then}, '1' from ${rows}`,
  );
  await insert(
    cards,
    (rows) => `
      insert into bindings (card, account, factor, since, until, job)
      select ${code}, ${code}, ${code}, ${then}, null, null from ${rows}`,
  );
  await insert(
    cards,
    (rows) => `
      insert into card_apps (card, app, state, instance, load_file_hash, in_doubt, updated, issued_in)
      select ${code}, 'e-wallet', 'enabled', 1, null, 0, ${then}, ${uuid('00000001')} from ${rows}`,
  );
  const key = '[{"origin":"issuer","version":1,"factor":"0000000000000001"}]';
  for (const slot of ['mck', 'mtk'])
    await insert(
      cards,
      (rows) => `
        insert into card_keys (card, app, slot, candidates, spent, refused)
        select ${code}, 'e-wallet', '${slot}', '${key}', 0, 0 from ${rows}`,
    );
  await insert(
    JOBS,
    (rows) => `
      insert into jobs (id, request_id, request_hash, station, operator, reader, card, account, generation, seq, state,
        started, ended, result, outcome)
      select ${uuid('00000001')}, ${uuid('00000002')}, '', 'station-' || (n % 200), 'operator-' || (n % 300), 'reader',
        ${ofCard}, ${ofCard}, 1 + n / ${cards}, 4, '{}', ${time}, ${time}, 'complete', null from ${rows}`,
  );
  await insert(
    JOBS,
    (rows) => `
      insert into job_commands (job, seq, position, step, app, sw, load_file_hash)
      select ${uuid('00000001')}, 1, 0, 'authenticate', 'e-wallet', '9000', null from ${rows}`,
  );
}

function number16(n: number): string {
  return `1${String(n).padStart(15, '0')}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
