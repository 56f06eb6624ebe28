/** A PostgreSQL database as the store: a bounded pool, commits synced whatever the database's own default is. */
import { readFileSync } from 'node:fs';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Pool, type PoolConfig } from 'pg';
import { decodeTextFile } from '../../card/text-file.ts';
import { KaikaError } from '../../protocol/errors.ts';
import type { StoreConfig } from './config.ts';
import type { Store } from './store.ts';
import type { Database } from './tables.ts';

const CONNECT_MS = 5_000;
const STATEMENT_MS = 10_000;
const LOCK_MS = 5_000;
const LOOPBACK = new Set(['', 'localhost', '127.0.0.1', '[::1]']);

/** @throws KaikaError `server-store-failed` when it cannot be reached, or would not keep what it says it kept */
export async function openPostgresql(config: Extract<StoreConfig, { kind: 'postgresql' }>): Promise<Store> {
  const pool = new Pool(poolConfig(config));
  // The pool replaces an idle connection that broke; if it cannot, the next query fails with that error. Nothing is to be done here, but
  // without a listener the event would end the process.
  pool.on('error', () => undefined);
  // A connection that breaks in use makes its query fail too; again, without a listener the event would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const store = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  try {
    await requireDurable(store);
    return store;
  } catch (error) {
    await store.destroy();
    throw error;
  }
}

function poolConfig(config: Extract<StoreConfig, { kind: 'postgresql' }>): PoolConfig {
  const url = new URL(config.url);
  const socket = url.searchParams.get('host');
  const host = socket ?? url.hostname.replace(/^\[|\]$/g, '');
  const local = socket?.startsWith('/') === true || (socket === null && LOOPBACK.has(url.hostname));
  const password = passwordOf(config);
  return {
    host,
    port: url.port === '' ? 5432 : Number(url.port),
    user: decodeURIComponent(url.username),
    database: decodeURIComponent(url.pathname.slice(1)),
    ...(password === undefined ? {} : { password }),
    // Another machine is spoken to over TLS only, and must prove who it is.
    ...(local && config.authorities === undefined
      ? {}
      : {
          ssl: {
            rejectUnauthorized: true,
            ...(config.authorities === undefined
              ? {}
              : { ca: decodeTextFile(readFileSync(config.authorities)) }),
          },
        }),
    application_name: 'kaika-keyserver',
    max: config.connections,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS + 1_000,
    statement_timeout: STATEMENT_MS,
    lock_timeout: LOCK_MS,
    // An instance that hangs inside a transaction keeps its rows locked; the database ends that transaction, so that others get the card.
    idle_in_transaction_session_timeout: STATEMENT_MS,
    options: '-c synchronous_commit=on -c default_transaction_isolation=read\\ committed',
  };
}

function passwordOf(config: Extract<StoreConfig, { kind: 'postgresql' }>): string | undefined {
  if (config.passwordFile !== undefined)
    return decodeTextFile(readFileSync(config.passwordFile)).replace(/\r?\n$/, '');
  if (config.passwordEnv === undefined) return undefined;
  const value = process.env[config.passwordEnv];
  if (value === undefined)
    throw new KaikaError(
      'server-store-failed',
      `the environment has no ${config.passwordEnv}, which store.passwordEnv names`,
    );
  return value;
}

/** Refuses a database with fsync off: after a power cut it would have forgotten commits whose commands have changed cards already. */
async function requireDurable(store: Store): Promise<void> {
  const { rows } = await sql<{
    fsync: string;
    pages: string;
    encoding: string;
  }>`select current_setting('fsync') as fsync, current_setting('full_page_writes') as pages,
     current_setting('server_encoding') as encoding`.execute(store);
  const found = rows[0];
  if (found?.fsync !== 'on' || found.pages !== 'on')
    throw new KaikaError('server-store-failed', 'the database must run with fsync and full_page_writes on');
  if (found.encoding !== 'UTF8')
    throw new KaikaError('server-store-failed', `the database must be in UTF8, not ${found.encoding}`);
}
