/** The schema, step by step. A migration that has run anywhere is never changed; a new one is added. */
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { bindings, bindingsReserved } from './migrations-bindings.ts';
import { ground, groundSince } from './migrations-ground.ts';
import { keyVersions } from './migrations-keys.ts';
import { leasesByStation, leasesShown } from './migrations-leases.ts';
import { loadedWhole } from './migrations-loaded.ts';
import { operation } from './migrations-operation.ts';
import { branches } from './migrations-people.ts';
import { records } from './migrations-records.ts';
import { setAsideCodes } from './migrations-set-aside.ts';
import type { Database } from './tables.ts';

async function first(db: Kysely<Database>): Promise<void> {
  const schema = db.schema;
  await schema
    .createTable('operators')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('secret_hash', 'text', (c) => c.notNull())
    .addColumn('disabled', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await schema
    .createTable('stations')
    .addColumn('fingerprint', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .addColumn('revoked', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await schema
    .createTable('sessions')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('operator', 'text', (c) => c.notNull())
    .addColumn('station', 'text', (c) => c.notNull())
    .addColumn('expires', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createTable('cards')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('card_type', 'text', (c) => c.notNull())
    .addColumn('account', 'text')
    .addColumn('account_factor', 'text', (c) => c.unique())
    .addColumn('generation', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('set_aside', 'text')
    .addColumn('first_seen', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createTable('card_apps')
    .addColumn('card', 'text', (c) => c.notNull())
    .addColumn('app', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('instance', 'integer', (c) => c.notNull())
    .addColumn('load_file_hash', 'text')
    .addColumn('in_doubt', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('updated', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('card_apps_pk', ['card', 'app'])
    .execute();
  await schema
    .createTable('card_keys')
    .addColumn('card', 'text', (c) => c.notNull())
    .addColumn('app', 'text', (c) => c.notNull())
    .addColumn('slot', 'text', (c) => c.notNull())
    .addColumn('candidates', 'text', (c) => c.notNull())
    .addColumn('spent', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('refused', 'integer', (c) => c.notNull().defaultTo(0))
    .addPrimaryKeyConstraint('card_keys_pk', ['card', 'app', 'slot'])
    .execute();
  await schema
    .createTable('jobs')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('request_id', 'text', (c) => c.notNull().unique())
    .addColumn('request_hash', 'text', (c) => c.notNull())
    .addColumn('station', 'text', (c) => c.notNull())
    .addColumn('operator', 'text', (c) => c.notNull())
    .addColumn('reader', 'text', (c) => c.notNull())
    .addColumn('card', 'text', (c) => c.notNull())
    .addColumn('account', 'text', (c) => c.notNull())
    .addColumn('generation', 'integer', (c) => c.notNull())
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('started', 'text', (c) => c.notNull())
    .addColumn('ended', 'text')
    .addColumn('result', 'text')
    .addColumn('outcome', 'text')
    .execute();
  await schema.createIndex('jobs_by_card').on('jobs').columns(['card', 'started']).execute();
  await schema
    .createTable('job_steps')
    .addColumn('job', 'text', (c) => c.notNull())
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('request_hash', 'text', (c) => c.notNull())
    .addColumn('sealed', 'text')
    .addColumn('created', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('job_steps_pk', ['job', 'seq'])
    .execute();
  await schema
    .createTable('job_commands')
    .addColumn('job', 'text', (c) => c.notNull())
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('step', 'text', (c) => c.notNull())
    .addColumn('app', 'text')
    .addColumn('sw', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('job_commands_pk', ['job', 'seq', 'position'])
    .execute();
  await schema
    .createTable('late_answers')
    .addColumn('job', 'text', (c) => c.notNull())
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('generation', 'integer', (c) => c.notNull())
    .addColumn('received', 'text', (c) => c.notNull())
    .addColumn('sws', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('late_answers_pk', ['job', 'seq'])
    .execute();
  await schema
    .createTable('leases')
    .addColumn('card', 'text', (c) => c.primaryKey())
    .addColumn('job', 'text', (c) => c.notNull())
    .addColumn('station', 'text', (c) => c.notNull())
    .addColumn('operator', 'text', (c) => c.notNull())
    .addColumn('reader', 'text', (c) => c.notNull())
    .addColumn('since', 'text', (c) => c.notNull())
    .addColumn('expires', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createTable('meta')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute();
}

async function sessionPurpose(db: Kysely<Database>): Promise<void> {
  await db.schema
    .alterTable('sessions')
    .addColumn('purpose', 'text', (c) => c.notNull().defaultTo('work'))
    .execute();
}

/** A confirmation is for one deletion. */
async function confirmations(db: Kysely<Database>): Promise<void> {
  await db.schema.alterTable('sessions').addColumn('confirms', 'text').execute();
}

/** All migrations in order; the names sort. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-first': { up: first },
  '0002-operation': { up: operation },
  '0003-session-purpose': { up: sessionPurpose },
  '0005-key-versions': { up: keyVersions },
  '0006-records': { up: records },
  '0007-set-aside-codes': { up: setAsideCodes },
  '0008-bindings': { up: bindings },
  '0009-bindings-reserved': { up: bindingsReserved },
  '0010-confirmations': { up: confirmations },
  '0011-ground': { up: ground },
  '0012-leases-by-station': { up: leasesByStation },
  '0013-ground-since': { up: groundSince },
  '0014-leases-shown': { up: leasesShown },
  '0015-loaded-whole': { up: loadedWhole },
  '0016-branches': { up: branches },
};
