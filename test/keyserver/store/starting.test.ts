/** Stores at the start: made, brought up to date, also by two at once; refused when they are ahead or would not keep what they say. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { toErrorBody } from '../../../app/keyserver/api/errors.ts';
import { ConfigError, readConfig, vaultConfigOf } from '../../../app/keyserver/config.ts';
import type { StoreConfig } from '../../../app/keyserver/store/config.ts';
import { MIGRATIONS } from '../../../app/keyserver/store/migrations.ts';
import { openStore } from '../../../app/keyserver/store/open.ts';
import { sharedFolder } from '../../support/folders.ts';
import { onEveryStore, storePlaces } from '../../support/stores.ts';

onEveryStore((kind) => {
  const places = storePlaces(kind);
  const fresh = () => places.empty();

  it('a new one is made whole, and opening it again changes nothing', async () => {
    const config = await fresh();
    for (let time = 0; time < 2; time += 1) {
      const store = await openStore(config);
      const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(
        store,
      );
      expect(rows.map(({ name }) => name)).toEqual(Object.keys(MIGRATIONS));
      await store.destroy();
    }
  });

  it('four that start at once on a new one, in threads of their own: each finds it whole', async () => {
    for (let round = 0; round < 1; round += 1) {
      const config = await fresh();
      const ends = await Promise.all(Array.from({ length: 4 }, () => openInThread(config)));
      expect(ends).toEqual(Array.from({ length: 4 }, () => 'opened'));
    }
  });

  it('one of a newer version is refused in a sentence that says so', async () => {
    const config = await fresh();
    const store = await openStore(config);
    await sql`insert into kysely_migration (name, timestamp) values ('9999-later', '2030')`.execute(store);
    await store.destroy();
    await expect(openStore(config)).rejects.toMatchObject({
      code: 'server-store-failed',
      message: expect.stringMatching(/newer version of the key server \(9999-later\)/),
    });
  });

  if (kind === 'postgresql') {
    it('commits are synced though the database would not by default', async () => {
      const config = await fresh();
      if (config.kind !== 'postgresql') throw new Error('another kind');
      const store = await openStore(config);
      const name = new URL(config.url).pathname.slice(1);
      await sql`alter database ${sql.id(name)} set synchronous_commit = off`.execute(store);
      await store.destroy();
      const again = await openStore(config);
      const { rows } = await sql<{ synchronous_commit: string }>`show synchronous_commit`.execute(again);
      expect(rows).toEqual([{ synchronous_commit: 'on' }]);
      await again.destroy();
    });

    it('a connection that is cut is an error of the store, and the next query finds another', async () => {
      const store = await openStore(await fresh());
      const cut = await store
        .transaction()
        .execute(async (db) => {
          await db.selectFrom('cards').selectAll().execute();
          await sql`select pg_terminate_backend(pg_backend_pid())`.execute(db);
        })
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      expect(toErrorBody(cut, 'r').code).toBe('server-store-failed');
      expect(await store.selectFrom('cards').selectAll().execute()).toEqual([]);
      const nul = await store
        .selectFrom('operators')
        .selectAll()
        .where('id', '=', 'a\0b')
        .execute()
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      expect(toErrorBody(nul, 'r').code).toBe('bad-request');
      await store.destroy();
    });

    it('a server that is not there, and a variable that is not there, are refused by name', async () => {
      const nowhere = {
        kind: 'postgresql',
        url: 'postgresql://kaika@127.0.0.1:1/x',
        connections: 2,
      } as const;
      await expect(openStore(nowhere)).rejects.toMatchObject({ code: 'server-store-failed' });
      await expect(openStore({ ...nowhere, passwordEnv: 'KAIKA_NOT_SET' })).rejects.toMatchObject({
        code: 'server-store-failed',
        message: expect.stringContaining('KAIKA_NOT_SET'),
      });
    });
  }
});

/** Opens and closes a store in another thread; `opened`, or what it said. */
function openInThread(config: StoreConfig): Promise<string> {
  const code = `
    import { parentPort } from 'node:worker_threads';
    const { openStore } = await import(${JSON.stringify(`file://${OPEN}`)});
    try {
      const store = await openStore(${JSON.stringify(config)});
      await store.selectFrom('cards').selectAll().execute();
      await store.destroy();
      parentPort.postMessage('opened');
    } catch (error) {
      parentPort.postMessage(String(error.message));
    }`;
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
    worker.once('message', (said) => resolve(String(said)));
    worker.once('error', reject);
  });
}

describe('the configuration', () => {
  const base = {
    listen: { port: 0 },
    tls: { key: 'k', certificate: 'c', stationAuthorities: 'a' },
    vault: { module: 'm', tokenLabel: 't', pinFile: 'p' },
  };
  const folder = sharedFolder('config');
  const read = (store: object) => {
    const file = join(folder, 'config.json');
    writeFileSync(file, JSON.stringify({ ...base, store }));
    return readConfig(file).store;
  };

  it('says where the PIN is, once', () => {
    const file = join(folder, 'pin.json');
    const store = { kind: 'sqlite', file: 's' };
    const vaultOf = (vault: object) => {
      writeFileSync(
        file,
        JSON.stringify({ ...base, store, vault: { module: 'm', tokenLabel: 't', ...vault } }),
      );
      return vaultConfigOf(readConfig(file));
    };
    expect(vaultOf({ pinFile: 'p', slot: 7 })).toMatchObject({
      pin: { pinFile: join(folder, 'p') },
      slot: 7,
      demo: false,
    });
    expect(vaultOf({ pinEnv: 'KAIKA_PIN' })).toMatchObject({ pin: { pinEnv: 'KAIKA_PIN' } });
    for (const both of [{}, { pinFile: 'p', pinEnv: 'KAIKA_PIN' }])
      expect(() => vaultOf(both)).toThrow(/vault: one of pinFile and pinEnv/);
  });

  it('names a PostgreSQL by a URL; files are relative to the configuration', () => {
    expect(
      read({
        kind: 'postgresql',
        url: 'postgresql://kaika@db.example:5432/kaika',
        passwordFile: 'pw',
        authorities: 'ca',
      }),
    ).toEqual({
      kind: 'postgresql',
      url: 'postgresql://kaika@db.example:5432/kaika',
      passwordFile: join(folder, 'pw'),
      authorities: join(folder, 'ca'),
      connections: 10,
    });
  });

  it.each([
    'postgresql://kaika:secret@db.example/kaika',
    'postgresql://db.example/kaika',
    'postgresql://kaika@db.example/',
    'postgresql://kaika@db.example/kaika?sslmode=disable',
    'mysql://kaika@db.example/kaika',
    'db.example',
  ])('refuses %s, and does not repeat it', (url) => {
    expect(() => read({ kind: 'postgresql', url })).toThrow(ConfigError);
    expect(() => read({ kind: 'postgresql', url })).toThrow(/store\.url: must be postgresql:/);
    expect(() => read({ kind: 'postgresql', url })).not.toThrow(/secret/);
  });
});

const OPEN = fileURLToPath(new URL('../../../app/keyserver/store/open.ts', import.meta.url));
