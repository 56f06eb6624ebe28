/** Databases in the one PostgreSQL of a test run; outside of a run, in one of their own. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Client } from 'pg';
import { z } from 'zod';
import type { StoreConfig } from '../../app/keyserver/store/config.ts';
import { launchPostgresql, type RunningPostgresql } from './postgresql.ts';

/** Names the socket at which the run says where its PostgreSQL is. */
export const DATABASES_SOCKET = 'KAIKA_TEST_DATABASES';

type Database = Extract<StoreConfig, { kind: 'postgresql' }>;

export interface Databases {
  /** A new, empty database. */
  database(): Promise<Database>;
  /** Drops them all, whoever is still connected. */
  close(): Promise<void>;
}

const answerSchema = z.union([
  z.strictObject({ folder: z.string(), port: z.number() }),
  z.strictObject({ failed: z.string() }),
]);

/** The run's PostgreSQL, which the run ends; or one that is ended with its databases. */
async function server(): Promise<Pick<RunningPostgresql, 'folder' | 'port'> & Partial<RunningPostgresql>> {
  const path = process.env[DATABASES_SOCKET];
  if (path === undefined) return launchPostgresql();
  const answer = answerSchema.parse(JSON.parse(await text(connect(path))));
  if ('failed' in answer) throw new Error(answer.failed);
  return answer;
}

export async function openDatabases(): Promise<Databases> {
  const { folder, port, stop } = await server();
  const client = new Client({ host: folder, port, user: 'kaika', database: 'postgres' });
  await client.connect();
  const made: string[] = [];
  return {
    async database() {
      const name = `kaika_${randomBytes(8).toString('hex')}`;
      await client.query(`create database ${name}`);
      made.push(name);
      return {
        kind: 'postgresql',
        url: `postgresql://kaika@localhost/${name}?host=${encodeURIComponent(folder)}`,
        connections: 8,
      };
    },
    async close() {
      for (const name of made) await client.query(`drop database if exists ${name} with (force)`);
      await client.end();
      await stop?.();
    },
  };
}
