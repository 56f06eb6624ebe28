/** Operators signing in at a station. A token is worth something only at the station it was given to. */
import { createHash, randomBytes } from 'node:crypto';
import { KaikaError } from '../../protocol/errors.ts';
import { API_LEVEL, type SignInReply, type SignInRequest } from '../../protocol/wire.ts';
import type { Store } from '../store/open.ts';
import type { SessionsTable } from '../store/tables.ts';
import { hashSecret, secretMatches } from './secrets.ts';

const SESSION_MILLISECONDS = 10 * 3600 * 1000;

/** @throws KaikaError `sign-in-failed`, the same for an unknown operator and a wrong secret, after the same work. */
export async function signIn(
  store: Store,
  station: string,
  request: SignInRequest,
  now: Date,
): Promise<SignInReply> {
  const operator = await store
    .selectFrom('operators')
    .selectAll()
    .where('id', '=', request.operator)
    .executeTakeFirst();
  const matches = await secretMatches(request.secret, operator?.secret_hash ?? (await decoy()));
  if (operator === undefined || operator.disabled !== 0 || !matches) {
    throw new KaikaError('sign-in-failed', 'operator or secret is wrong');
  }
  const token = randomBytes(32).toString('base64url');
  const expires = new Date(now.getTime() + SESSION_MILLISECONDS).toISOString();
  await store.deleteFrom('sessions').where('expires', '<', now.toISOString()).execute();
  await store
    .insertInto('sessions')
    .values({ token_hash: hashToken(token), operator: operator.id, station, expires })
    .execute();
  return { apiLevel: API_LEVEL, token, expires, operator: { id: operator.id, name: operator.name } };
}

/** The running session of a token; undefined when there is none, or its operator may not sign in any more. */
export async function findSession(
  store: Store,
  token: string,
  now: Date,
): Promise<SessionsTable | undefined> {
  const session = await store
    .selectFrom('sessions')
    .innerJoin('operators', 'operators.id', 'sessions.operator')
    .selectAll('sessions')
    .where('token_hash', '=', hashToken(token))
    .where('operators.disabled', '=', 0)
    .executeTakeFirst();
  return session !== undefined && session.expires > now.toISOString() ? session : undefined;
}

function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

let decoyHash: Promise<string> | undefined;

/** Something to compare with for operators who do not exist, so that both refusals take the same time. */
function decoy(): Promise<string> {
  decoyHash ??= hashSecret(randomBytes(16).toString('hex'));
  return decoyHash;
}
