/** The store keeps what it is given, whole or not at all, and says what it cannot do. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { slotOf } from '../../../app/dialects/keys.ts';
import type { CardState } from '../../../app/keyserver/issuer/card-state.ts';
import { readCardState, writeCardState } from '../../../app/keyserver/store/cards.ts';
import { storeFaultOf } from '../../../app/keyserver/store/faults.ts';
import { migrate } from '../../../app/keyserver/store/migrate.ts';
import { openSqliteStore, type Store } from '../../../app/keyserver/store/open.ts';
import { storeOn } from '../../../app/keyserver/store/sqlite.ts';
import type { Queries } from '../../../app/keyserver/store/store.ts';
import { together } from '../../../app/keyserver/store/transaction.ts';
import { sharedFolder } from '../../support/folders.ts';

const folder = sharedFolder('store');
afterEach(async () => {
  for (const store of open.splice(0)) await store.destroy();
});

describe('a card', () => {
  it('is read as it was written, and an app without keys has none', async () => {
    const store = await opened('cards');
    await writeCardState(store, '1234', NOTHING, STATE, NOW);
    expect(await readCardState(store, '1234')).toEqual(STATE);
    expect(await readCardState(store, '5678')).toEqual(NOTHING);
  });

  it('loses its keys when the app loses them, and no other card does', async () => {
    const store = await opened('keys');
    const wallet = STATE.apps['e-wallet'];
    if (wallet === undefined) throw new Error('no wallet');
    await writeCardState(store, '1', NOTHING, STATE, NOW);
    await writeCardState(store, '2', NOTHING, STATE, NOW);
    const gone: CardState = {
      apps: { ...STATE.apps, 'e-wallet': { ...wallet, state: 'missing', keys: null } },
    };
    await writeCardState(store, '1', STATE, gone, NOW);
    expect(await readCardState(store, '1')).toEqual(gone);
    expect(await readCardState(store, '2')).toEqual(STATE);
  });

  it('loses the keys of roles that an app, installed again, has no more', async () => {
    const store = await opened('roles');
    const wallet = STATE.apps['e-wallet'];
    const mck = wallet?.keys?.['mck'];
    if (wallet === undefined || mck === undefined) throw new Error('no wallet');
    await writeCardState(store, '1', NOTHING, STATE, NOW);
    await writeCardState(store, '2', NOTHING, STATE, NOW);
    const other: CardState = {
      apps: { ...STATE.apps, 'e-wallet': { ...wallet, keys: { mck, admin: mck } } },
    };
    await writeCardState(store, '1', STATE, other, NOW);
    expect(await readCardState(store, '1')).toEqual(other);
    expect(await readCardState(store, '2')).toEqual(STATE);
  });

  it('that was tampered with is not half believed', async () => {
    const store = await opened('tampered');
    await writeCardState(store, '1', NOTHING, STATE, NOW);
    await store.updateTable('card_keys').set({ candidates: '[]' }).where('slot', '=', 'mck').execute();
    await expect(readCardState(store, '1')).rejects.toThrow();
    await store.deleteFrom('card_keys').where('slot', '=', 'mck').execute();
    // Which keys an app has its rule says, not the store: whoever needs the one that is gone is told.
    const { apps } = await readCardState(store, '1');
    expect(() => slotOf(apps['e-wallet']?.keys ?? null, 'mck')).toThrow('the app has no key mck');
  });

  it('is unchanged when the transaction fails in its middle', async () => {
    const store = await opened('rollback');
    const failing = store.transaction().execute(async (db) => {
      await writeCardState(db, '1', NOTHING, STATE, NOW);
      throw new Error('power cut');
    });
    await expect(failing).rejects.toThrow('power cut');
    expect(await readCardState(store, '1')).toEqual(NOTHING);
  });
});

describe('the file', () => {
  it('is written through: write-ahead log, every commit synced, in a folder of its owner', async () => {
    const store = await opened('durable');
    const file = join(folder, 'durable', 'kaika.sqlite');
    const other = new SqliteDatabase(file, { readonly: true });
    expect(other.pragma('journal_mode', { simple: true })).toBe('wal');
    other.close();
    expect(statSync(join(folder, 'durable')).mode & 0o077).toBe(0);
    await writeCardState(store, '1', NOTHING, STATE, NOW);
    // What is committed is seen by another process's connection at once.
    const reader = new SqliteDatabase(file, { readonly: true });
    expect(reader.prepare('select count(*) as count from card_apps').get()).toEqual({ count: 2 });
    reader.close();
  });

  it('can be opened again and again, and twice at once', async () => {
    const first = await opened('again');
    await writeCardState(first, '1', NOTHING, STATE, NOW);
    const second = await opened('again');
    expect(await readCardState(second, '1')).toEqual(STATE);
  });

  it('that is no database, or is from a newer version, is refused by name', async () => {
    const file = join(folder, 'garbage.sqlite');
    writeFileSync(file, 'x'.repeat(8192));
    await expect(openSqliteStore(file)).rejects.toMatchObject({ code: 'server-store-failed' });
    await opened('newer');
    const raw = new SqliteDatabase(join(folder, 'newer', 'kaika.sqlite'));
    raw.prepare('insert into kysely_migration (name, timestamp) values (?, ?)').run('9999-later', NOW);
    raw.close();
    await expect(openSqliteStore(join(folder, 'newer', 'kaika.sqlite'))).rejects.toMatchObject({
      code: 'server-store-failed',
    });
  });
});

const open: Store[] = [];

async function opened(name: string): Promise<Store> {
  const store = await openSqliteStore(join(folder, name, 'kaika.sqlite'));
  open.push(store);
  return store;
}

const key = (origin: 'factory' | 'issuer') => ({ origin, version: 1, factor: '0011223344556677' });

const STATE: CardState = {
  apps: {
    'e-wallet': {
      state: 'enabled',
      instance: 2,
      loadFileHash: 'AB'.repeat(32),
      inDoubt: true,
      keys: {
        mck: { candidates: [key('issuer'), key('factory')], spent: 1, refused: false },
        mtk: { candidates: [key('issuer')], spent: 0, refused: true },
      },
    },
    identity: { state: 'missing', instance: 0, loadFileHash: null, inDoubt: false, keys: null },
  },
};

const NOTHING: CardState = { apps: {} };

const NOW = '2026-01-01T00:00:00.000Z';

it('a full disk is told as one, though SQLite has taken the transaction back by itself', async () => {
  const database = new SqliteDatabase(join(folder, 'full.sqlite'));
  database.pragma('journal_mode = WAL');
  const store = storeOn(database);
  open.push(store);
  await migrate(store);
  database.pragma(`max_page_count = ${database.pragma('page_count', { simple: true })}`);
  const many = async (db: Queries) => {
    for (let at = 0; at < 1_000; at += 1) await writeCardState(db, String(at), NOTHING, STATE, NOW);
  };
  const error: unknown = await together(store, many).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'SQLITE_FULL' });
  expect(storeFaultOf(error)).toBe('failed');
  expect(await readCardState(store, '0')).toEqual(NOTHING);
});
