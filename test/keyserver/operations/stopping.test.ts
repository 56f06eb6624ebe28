/** A server that is told to stop while a step is in hand: the step is finished and answered, and only then it ends. */
import SqliteDatabase from 'better-sqlite3';
import { sql } from 'kysely';
import { expect, it, vi } from 'vitest';
import { findJob } from '../../../app/keyserver/store/jobs.ts';
import { batchOf, onEveryStore, randomDigits } from '../../support/jobs.ts';
import { PATIENT } from '../../support/limit.ts';
import { openServerSite, type ServerInstance, type Site } from '../../support/site.ts';
import { runBatch } from '../../support/visits.ts';

onEveryStore((kind) => {
  it('finishes the step in hand', async () => {
    const site = await openServerSite(kind);
    try {
      const server = await site.start();
      const station = await site.station('branch-7', [server.port]);
      const { card, identification } = site.rig.newCard();
      const wishes = [{ app: 'e-wallet', action: 'enable' as const }];
      const asked = await site.rig.request(card, randomDigits(16), wishes, 'e-wallet');
      const started = await station.client.postJob(asked, station.token);
      const report = await runBatch(card, batchOf(started));
      const hold = await (kind === 'sqlite' ? holdSqlite(site) : holdPostgresql(site, identification));
      const answer = station.client.postAnswers(started.job, 1, report, station.token);
      await hold.waits(server);
      const ended = server.stop();
      if (kind === 'postgresql') {
        const stopping = async () => {
          const ready = await fetch(`http://127.0.0.1:${server.operationsPort}/ready`);
          return ready.status === 503;
        };
        await vi.waitUntil(stopping, PATIENT);
      }
      await hold.letGo();
      expect(await answer).toHaveProperty('batch.seq', 2);
      expect(await ended).toBe(0);
      expect(await findJob(site.rig.context.store, started.job)).toMatchObject({ seq: 2 });
      await expect(station.client.card(identification, station.token)).rejects.toMatchObject({
        code: 'server-away',
      });
      expect(server.log()).toMatch(/"event":"stopping"/);
    } finally {
      await site.close();
    }
  });
});

/** Keeps the store from committing a step on `card` until it is let go. `waits`: a request has come to the lock. */
interface Hold {
  waits(server: ServerInstance): Promise<void>;
  letGo(): Promise<void>;
}

async function holdSqlite(site: Site): Promise<Hold> {
  const { store } = site.rig;
  const database = new SqliteDatabase(store.kind === 'sqlite' ? store.file : '');
  database.exec('begin immediate');
  return {
    async waits(server) {
      // better-sqlite3 waits without giving the turn away, so the whole process is silent while it does.
      const silent = () =>
        fetch(`http://127.0.0.1:${server.operationsPort}/health`, { signal: AbortSignal.timeout(300) }).then(
          () => false,
          () => true,
        );
      await vi.waitUntil(silent, PATIENT);
    },
    async letGo() {
      database.exec('rollback');
      database.close();
    },
  };
}

async function holdPostgresql(site: Site, card: string): Promise<Hold> {
  const { store } = site.rig.context;
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let locked: () => void = () => undefined;
  const isLocked = new Promise<void>((resolve) => {
    locked = resolve;
  });
  const transaction = store.transaction().execute(async (db) => {
    await sql`select 1 from cards where id = ${card} for update`.execute(db);
    locked();
    await held;
  });
  await isLocked;
  return {
    async waits() {
      const waiting = async () => {
        const { rows } = await sql`select 1 from pg_stat_activity where wait_event_type = 'Lock'
          and datname = current_database()`.execute(store);
        return rows.length > 0;
      };
      await vi.waitUntil(waiting, PATIENT);
    },
    async letGo() {
      release();
      await transaction;
    },
  };
}
