/** Operators signing in at a station. A token is worth something only at the station it was given to. */
import { createHash, randomBytes } from 'node:crypto';
import { KaikaError } from '../../protocol/errors.ts';
import { API_LEVEL, type SignInReply, type SignInRequest } from '../../protocol/wire.ts';
import { writeAudit } from '../audit/entries.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { addCount, type Counted, clearCount, periodOf, readCount } from '../store/counters.ts';
import type { Store } from '../store/open.ts';
import { addSession, findOperator, readSession } from '../store/people.ts';
import { hashSecret, secretMatches } from './secrets.ts';

const SESSION_MILLISECONDS = 10 * 3600 * 1000;
const CONFIRMATION_MILLISECONDS = 5 * 60 * 1000;

/**
 * @throws KaikaError `too-many-attempts` after too many wrong secrets; `sign-in-failed`, the same for an unknown operator and a wrong secret, after the same
 * work.
 */
export async function signIn(
  store: Store,
  station: string,
  request: SignInRequest,
  now: Date,
  limits: Limits = DEFAULT_LIMITS,
): Promise<SignInReply> {
  const failures = failureCounts(station, request.operator, limits, now);
  for (const { most, ...counted } of failures) {
    if ((await readCount(store, counted)) >= most)
      throw new KaikaError('too-many-attempts', 'too many wrong secrets in the last quarter of an hour');
  }
  const operator = await findOperator(store, request.operator);
  const matches = await secretMatches(request.secret, operator?.secret_hash ?? (await decoy()));
  if (operator === undefined || operator.disabled !== 0 || !matches) {
    await countFailure(store, station, failures, now);
    throw new KaikaError('sign-in-failed', 'operator or secret is wrong');
  }
  const own = failures[0];
  if (own !== undefined) await clearCount(store, own);
  const token = randomBytes(32).toString('base64url');
  const purpose = request.purpose ?? 'work';
  const lasts = purpose === 'work' ? SESSION_MILLISECONDS : CONFIRMATION_MILLISECONDS;
  const expires = new Date(now.getTime() + lasts).toISOString();
  await addSession(
    store,
    { token_hash: hashToken(token), operator: operator.id, station, expires, purpose },
    now.toISOString(),
  );
  return { apiLevel: API_LEVEL, token, expires, operator: { id: operator.id, name: operator.name } };
}

interface FailureCount extends Counted {
  readonly most: number;
}

/** Who is slowed down: one operator at one station first, then the operator everywhere, then the station for everybody. */
function failureCounts(station: string, operator: string, limits: Limits, now: Date): FailureCount[] {
  const period = periodOf(now, 'quarter');
  // Operators are named by whoever knocks: a hash bounds what is stored.
  const name = createHash('sha256').update(operator).digest('hex').slice(0, 32);
  const most = limits.signInFailures;
  return [
    { scope: 'sign-in-here', subject: `${station}/${name}`, period, most },
    { scope: 'sign-in-operator', subject: name, period, most: 4 * most },
    { scope: 'sign-in-station', subject: station, period, most: 10 * most },
  ];
}

async function countFailure(
  store: Store,
  station: string,
  failures: readonly FailureCount[],
  now: Date,
): Promise<void> {
  await store.transaction().execute(async (db) => {
    for (const { most, ...counted } of failures) {
      // Once, when it is reached: afterwards nothing is tried any more.
      if ((await addCount(db, counted)) === most)
        await writeAudit(db, { kind: 'limit', station, detail: { cap: counted.scope } }, now);
    }
  });
}

/** Who is signed in, where, and until when (ISO 8601). */
export interface Session {
  readonly station: string;
  readonly operator: { readonly id: string; readonly name: string };
  readonly expires: string;
}

/** The running session of a token; undefined when there is none, or its operator may not sign in any more. */
export async function findSession(
  store: Store,
  token: string,
  now: Date,
  purpose: 'work' | 'confirmation' = 'work',
): Promise<Session | undefined> {
  const row = await readSession(store, hashToken(token));
  if (row === undefined || row.purpose !== purpose || row.expires <= now.toISOString()) return undefined;
  return {
    station: row.station,
    operator: { id: row.operator, name: row.name },
    expires: row.expires,
  };
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
