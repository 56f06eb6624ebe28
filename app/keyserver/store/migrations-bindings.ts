/** Which account a card is bound to was two columns of its row, and the factor unique for ever; now it is a history of its own. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './tables.ts';
import { isPostgresql } from './transaction.ts';

export async function bindings(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable('bindings')
    .addColumn('card', 'text', (c) => c.notNull())
    .addColumn('account', 'text', (c) => c.notNull())
    .addColumn('factor', 'text', (c) => c.notNull())
    .addColumn('since', 'text', (c) => c.notNull())
    .addColumn('until', 'text')
    .addColumn('job', 'text')
    .addPrimaryKeyConstraint('bindings_pk', ['card', 'since'])
    .execute();
  await sql`
    insert into bindings (card, account, factor, since, until, job)
    select id, account, account_factor, first_seen, null, null from cards
    where account is not null and account_factor is not null`.execute(db);
  // Whatever goes wrong, a card has one account, and two cards never have the same keys.
  for (const column of ['card', 'factor'] as const)
    await db.schema
      .createIndex(`bindings_open_${column}`)
      .unique()
      .on('bindings')
      .column(column)
      .where(sql<boolean>`until is null`)
      .execute();
  if (isPostgresql(db))
    await db.schema.alterTable('cards').dropColumn('account').dropColumn('account_factor').execute();
  else await rebuildCards(db);
}

/**
 * SQLite drops no column that is unique (ALTER TABLE, 5), so the table is made anew (7): made, filled, the old one dropped, renamed. `cards`
 * has no index, trigger or view, and no foreign key points to it: nothing else has to be made again.
 */
async function rebuildCards(db: Kysely<Database>): Promise<void> {
  await sql`
    create table cards_without_account (
      id text primary key, card_type text not null, generation integer default 0 not null, set_aside text,
      first_seen text not null, store_generation text default '1' not null)`.execute(db);
  await sql`
    insert into cards_without_account (id, card_type, generation, set_aside, first_seen, store_generation)
    select id, card_type, generation, set_aside, first_seen, store_generation from cards`.execute(db);
  await db.schema.dropTable('cards').execute();
  await sql`alter table cards_without_account rename to cards`.execute(db);
}

/** A job that is under way only reserves its account. What an older version bound stays bound. */
export async function bindingsReserved(db: Kysely<Database>): Promise<void> {
  await db.schema.alterTable('bindings').addColumn('reserved_until', 'text').execute();
}

type Row = Readonly<Record<string, string | number | null>>;

/** A row of `cards` out of a backup of any version: the row as it is now, and the binding that an older one held. */
export function splitCard(row: Row): { readonly card: Row; readonly binding: Row | undefined } {
  const { account = null, account_factor: factor = null, ...card } = row;
  if (account === null || factor === null) return { card, binding: undefined };
  const { id = null, first_seen = null } = card;
  return { card, binding: { card: id, account, factor, since: first_seen, until: null, job: null } };
}
