/** Operators in the store, and the sessions they have at stations. */
import { type Role, roleSchema } from '../../protocol/roles.ts';
import { holdRow } from './hold-row.ts';
import type { Queries, Reads } from './store.ts';
import type { OperatorsTable, SessionsTable } from './tables.ts';

/** Somebody who may sign in, or might. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Null: of every branch. */
  readonly branch: string | null;
  readonly disabled: boolean;
  /** Until when the secret is good, where somebody else made it; null for their own. */
  readonly secretUntil: string | null;
}

export interface PersonWithSecret extends Person {
  readonly secretHash: string;
}

export async function findOperator(db: Reads, id: string): Promise<PersonWithSecret | undefined> {
  const row = await db.selectFrom('operators').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : { ...personOf(row), secretHash: row.secret_hash };
}

/** Everybody, in the order of their ids. */
export async function listOperators(db: Reads): Promise<Person[]> {
  return (await db.selectFrom('operators').selectAll().orderBy('id').execute()).map(personOf);
}

/** Names of these operators, by id; their id for those who are not there. */
export async function namesOf(db: Reads, ids: readonly string[]): Promise<(id: string) => string> {
  const rows =
    ids.length === 0
      ? []
      : await db
          .selectFrom('operators')
          .select(['id', 'name'])
          .where('id', 'in', [...new Set(ids)])
          .execute();
  const names = new Map(rows.map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? id;
}

function personOf({ id, name, role, branch, disabled, secret_until }: OperatorsTable): Person {
  return {
    id,
    name,
    role: roleSchema.parse(role),
    branch,
    disabled: disabled !== 0,
    secretUntil: secret_until,
  };
}

/** Adds an operator, unless there is one of this id. Says whether it did. */
export async function insertOperator(
  db: Queries,
  person: Omit<PersonWithSecret, 'disabled'>,
): Promise<boolean> {
  const { id, name, role, branch, secretHash, secretUntil } = person;
  const row = {
    id,
    name,
    role,
    branch,
    secret_hash: secretHash,
    secret_until: secretUntil,
    disabled: 0,
  };
  // On SQLite a first statement that writes locks the file for this transaction. One that reads first and writes later fails when another
  // process wrote in between.
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('operators')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Changes what is known of an operator. Says whether there is one. */
export async function changeOperator(
  db: Queries,
  id: string,
  change: Partial<Omit<PersonWithSecret, 'id'>>,
): Promise<boolean> {
  const { name, role, branch, secretHash, secretUntil, disabled } = change;
  const columns = {
    ...(name === undefined ? {} : { name }),
    ...(role === undefined ? {} : { role }),
    ...(branch === undefined ? {} : { branch }),
    ...(secretHash === undefined ? {} : { secret_hash: secretHash }),
    ...(secretUntil === undefined ? {} : { secret_until: secretUntil }),
    ...(disabled === undefined ? {} : { disabled: disabled ? 1 : 0 }),
  };
  const { numUpdatedRows } = await db
    .updateTable('operators')
    .set(columns)
    .where('id', '=', id)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/**
 * Holds an operator who has this secret and may sign in, until the transaction ends: nobody gives them another, or shuts them out, meanwhile. False
 * when somebody did before.
 */
export async function holdOperator(db: Queries, id: string, secretHash: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('operators')
    .set((set) => ({ name: set.ref('name') }))
    .where('id', '=', id)
    .where('secret_hash', '=', secretHash)
    .where('disabled', '=', 0)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Lets one change of people and stations happen at a time. */
export const holdPeople = (db: Queries, now: Date): Promise<void> => holdRow(db, 'people', now);

/** Secrets that somebody else made let nobody in any more. */
export async function dropOneTimeSecrets(db: Queries): Promise<void> {
  await db
    .updateTable('operators')
    .set({ secret_hash: 'none' })
    .where('secret_until', 'is not', null)
    .execute();
}

/** Ends whatever somebody is signed in for. */
export async function endSessionsOf(db: Queries, operator: string): Promise<void> {
  await db.deleteFrom('sessions').where('operator', '=', operator).execute();
}

/** Adds a session; those that are over at `now` (ISO 8601) go. */
export async function addSession(db: Queries, session: SessionsTable, now: string): Promise<void> {
  await db.deleteFrom('sessions').where('expires', '<', now).execute();
  await db.insertInto('sessions').values(session).execute();
}

/** Ends a session. Gives false when there is none. */
export async function endSession(db: Queries, tokenHash: string): Promise<boolean> {
  const ended = await db.deleteFrom('sessions').where('token_hash', '=', tokenHash).executeTakeFirst();
  return ended.numDeletedRows === 1n;
}

/** A session, and who has it as they are now. */
export interface SessionOfPerson extends SessionsTable {
  readonly person: Pick<Person, 'name' | 'role' | 'branch'>;
}

/** None of an operator who may not sign in any more. */
export async function readSession(db: Reads, tokenHash: string): Promise<SessionOfPerson | undefined> {
  const row = await db
    .selectFrom('sessions')
    .innerJoin('operators', 'operators.id', 'sessions.operator')
    .selectAll('sessions')
    .select(['operators.name', 'operators.role', 'operators.branch'])
    .where('token_hash', '=', tokenHash)
    .where('operators.disabled', '=', 0)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { name, role, branch, ...session } = row;
  return { ...session, person: { name, role: roleSchema.parse(role), branch } };
}
