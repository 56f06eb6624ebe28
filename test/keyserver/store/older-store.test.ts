/** A store of an earlier version, with cards and jobs in it: brought up to date it has them all, and what is new besides. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { Kysely, PostgresDialect, SqliteDialect, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { Pool } from 'pg';
import { afterAll, expect, it } from 'vitest';
import { searchCards } from '../../../app/keyserver/records/search.ts';
import { OWN_RESOURCES, openCatalogue } from '../../../app/keyserver/resources.ts';
import type { StoreConfig } from '../../../app/keyserver/store/config.ts';
import { MIGRATIONS } from '../../../app/keyserver/store/migrations.ts';
import { openStore, type Store } from '../../../app/keyserver/store/open.ts';
import type { Database } from '../../../app/keyserver/store/tables.ts';
import { type Databases, openDatabases } from '../../support/databases.ts';
import { sharedFolder } from '../../support/folders.ts';
import { onEveryStore, readCardRecord } from '../../support/jobs.ts';

const folder = sharedFolder('older');
let server: Databases | undefined;
afterAll(() => server?.close());

onEveryStore((kind) => {
  async function place(): Promise<StoreConfig> {
    if (kind === 'postgresql') server ??= await openDatabases();
    else server = undefined;
    return (
      (await server?.database()) ?? {
        kind: 'sqlite',
        file: join(mkdtempSync(join(folder, 'data-')), 'kaika.sqlite'),
      }
    );
  }

  it('keeps what the version before it kept, and binds its cards to the accounts they have', async () => {
    const config = await place();
    const old = await storeAt(config, (name) => name < '0008');
    await sql`
      insert into cards (id, card_type, account, account_factor, generation, set_aside, first_seen, store_generation)
      values (${CARD}, 'demo-scp03', '6212345678901234567', '2345678901234567', 3, ${ASIDE}, ${NOW}, '1764000000'),
        ('1000000000000001', 'demo-native', null, null, 1, null, ${NOW}, '1')`.execute(old);
    await old.destroy();
    const store = await openStore(config);
    try {
      expect(await store.selectFrom('cards').selectAll().orderBy('id').execute()).toEqual([
        {
          id: '1000000000000001',
          card_type: 'demo-native',
          generation: 1,
          set_aside: null,
          first_seen: NOW,
          store_generation: '1',
        },
        {
          id: CARD,
          card_type: 'demo-scp03',
          generation: 3,
          set_aside: ASIDE,
          first_seen: NOW,
          store_generation: '1764000000',
        },
      ]);
      expect(await store.selectFrom('bindings').selectAll().execute()).toEqual([
        {
          card: CARD,
          account: '6212345678901234567',
          factor: '2345678901234567',
          since: NOW,
          until: null,
          job: null,
          reserved_until: null,
        },
      ]);
      await expect(
        sql`insert into cards (id, card_type, first_seen) values (${CARD}, 'demo-scp03', ${NOW})`.execute(
          store,
        ),
      ).rejects.toThrow(/unique/i);
    } finally {
      await store.destroy();
    }
  });

  it('keeps its cards and jobs, and they are found', async () => {
    const config = await place();
    const old = await storeAt(config, (name) => FIRST.includes(name));
    const job = '9b2d5e0a-3f0c-4f43-8a53-54f2d1f4a0a1';
    for (const statement of [
      sql`insert into cards (id, card_type, account, account_factor, generation, set_aside, first_seen)
          values (${CARD}, 'demo-scp03', ${CARD}, ${CARD}, 1, null, ${NOW})`,
      ...Object.entries(SENTENCES).map(
        ([card, { sentence }]) =>
          sql`insert into cards (id, card_type, generation, set_aside, first_seen)
            values (${card}, 'demo-scp03', 1, ${sentence}, ${NOW})`,
      ),
      sql`insert into card_apps (card, app, state, instance, load_file_hash, in_doubt, updated)
          values (${CARD}, 'e-wallet', 'enabled', 1, null, 0, ${NOW})`,
      sql`insert into jobs (id, request_id, request_hash, station, operator, reader, card, account, generation, seq, state,
            started, ended, result, outcome)
          values (${job}, ${job}, '', 'branch-7', 'clerk', 'A', ${CARD}, ${CARD}, 1, 4, '{}', ${NOW}, ${NOW}, 'complete', ${JSON.stringify(OUTCOME)})`,
      sql`insert into job_commands (job, seq, position, step, app, sw)
          values (${job}, 1, 0, 'authenticate', 'e-wallet', '9000')`,
    ])
      await statement.execute(old);
    await old.destroy();

    const store = await openStore(config);
    try {
      expect(await readCardRecord({ store, catalogue: openCatalogue(OWN_RESOURCES) }, CARD)).toMatchObject({
        card: CARD,
        account: CARD,
        firstSeen: NOW,
        apps: [{ app: 'e-wallet', state: 'enabled', enabledBy: null }],
        jobs: [
          { job, operator: 'clerk', result: 'complete', steps: [{ sw: '9000' }], loads: [], apps: TOLD },
        ],
      });
      for (const [card, { code }] of Object.entries(SENTENCES))
        expect(
          (await readCardRecord({ store, catalogue: openCatalogue(OWN_RESOURCES) }, card)).setAside,
        ).toEqual(code);
      const { cards } = await searchCards(
        { store, catalogue: openCatalogue(OWN_RESOURCES) },
        { operator: 'clerk', account: CARD },
        new Date(),
      );
      expect(cards).toMatchObject([{ card: CARD, found: { job, station: 'branch-7' } }]);
    } finally {
      await store.destroy();
    }
  });
});

/** Reasons as they were kept, and what became of each. */
const SENTENCES = {
  '1000000000000001': {
    sentence: 'e-wallet: the maintenance key on the card is damaged',
    code: { code: 'maintenance-key-damaged', app: 'e-wallet' },
  },
  '1000000000000002': {
    sentence: 'the security domain confirms other keys than it was given',
    code: { code: 'domain-keys-differ' },
  },
  '1000000000000003': {
    sentence: 'e-wallet: somebody’s own words',
    code: { code: 'other', text: 'e-wallet: somebody’s own words' },
  },
} as const;

/** How the job ended, as it was kept, and as its apps are told now. */
const OUTCOME = {
  result: 'complete',
  card: '1234567890123456',
  apps: [{ app: 'e-wallet', before: 'installed', after: 'enabled', mckVersion: 1, mtkVersion: 2 }],
  deleted: [],
  trips: 5,
  plannedTrips: 5,
};
const TOLD = [{ app: 'e-wallet', before: 'installed', after: 'enabled', keyVersions: { mck: 1, mtk: 2 } }];

/** The first that was ever used, and nothing since. */
const FIRST = ['0001-first', '0002-operation', '0003-session-purpose'];

const CARD = '1234567890123456';

const NOW = '2026-01-02T03:04:05.678Z';

const ASIDE = JSON.stringify({ code: 'domain-keys-differ' });

/** A store as a version had it that knew `known` of the migrations. */
async function storeAt(config: StoreConfig, known: (name: string) => boolean): Promise<Store> {
  const store = await plain(config);
  const some = Object.fromEntries(Object.entries(MIGRATIONS).filter(([name]) => known(name)));
  const { error } = await new Migrator({
    db: store,
    provider: { getMigrations: async () => some },
  }).migrateToLatest();
  expect(error).toBeUndefined();
  return store;
}

/** The database itself, without our opening it. */
async function plain(config: StoreConfig): Promise<Store> {
  if (config.kind === 'sqlite')
    return new Kysely<Database>({
      dialect: new SqliteDialect({ database: new SqliteDatabase(config.file) }),
    });
  const url = new URL(config.url);
  const pool = new Pool({
    host: url.searchParams.get('host') ?? '',
    user: url.username,
    database: url.pathname.slice(1),
  });
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}
