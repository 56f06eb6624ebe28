/** Operators in the store, and the sessions they have at stations. */
import type { Queries } from './store.ts';
import type { OperatorsTable, SessionsTable } from './tables.ts';

export async function findOperator(db: Queries, id: string): Promise<OperatorsTable | undefined> {
  return db.selectFrom('operators').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Whether somebody of this id may sign in. */
export async function maySignIn(db: Queries, id: string): Promise<boolean> {
  const operator = await findOperator(db, id);
  return operator !== undefined && operator.disabled === 0;
}

/** Adds an operator, or writes over one and ends their sessions. Says whether there was one. */
export async function putOperator(
  db: Queries,
  operator: { readonly id: string; readonly name: string; readonly secretHash: string },
): Promise<boolean> {
  const { id, name, secretHash } = operator;
  const values = { name, role: 'operator', secret_hash: secretHash, disabled: 0 };
  // The first statement is a write: on SQLite it locks the file for this transaction. One that reads first and writes later fails when
  // another process wrote in between.
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('operators')
    .values({ id, ...values })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  const known = numInsertedOrUpdatedRows !== 1n;
  if (known) await db.updateTable('operators').set(values).where('id', '=', id).execute();
  await db.deleteFrom('sessions').where('operator', '=', id).execute();
  return known;
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

/** A session with the name of its operator; none of an operator who may not sign in any more. */
export async function readSession(
  db: Queries,
  tokenHash: string,
): Promise<(SessionsTable & { readonly name: string }) | undefined> {
  return db
    .selectFrom('sessions')
    .innerJoin('operators', 'operators.id', 'sessions.operator')
    .selectAll('sessions')
    .select('operators.name')
    .where('token_hash', '=', tokenHash)
    .where('operators.disabled', '=', 0)
    .executeTakeFirst();
}
