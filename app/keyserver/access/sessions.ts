/** Operators signing in at a station. A token is worth something only at the station it was given to. */
import { createHash, randomBytes } from 'node:crypto';
import { KaikaError } from '../../protocol/errors.ts';
import { API_LEVEL, type SignInReply, type SignInRequest } from '../../protocol/wire.ts';
import { writeAudit } from '../audit/entries.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { type Counted, clearCount, giveCountBack, periodOf, takeCount } from '../store/counters.ts';
import type { Store } from '../store/open.ts';
import { addSession, findOperator, readSession } from '../store/people.ts';
import { together } from '../store/transaction.ts';
import { hashSecret, secretMatches } from './secrets.ts';

const SESSION_MILLISECONDS = 10 * 3600 * 1000;
const CONFIRMATION_MILLISECONDS = 5 * 60 * 1000;

/** @throws KaikaError as `checkSecret` */
export async function signIn(
  store: Store,
  station: string,
  request: SignInRequest,
  now: Date,
  limits: Limits = DEFAULT_LIMITS,
): Promise<SignInReply> {
  const operator = await checkSecret(store, station, request, now, limits);
  const token = randomBytes(32).toString('base64url');
  const { confirms } = request;
  const purpose = confirms === undefined ? 'work' : 'confirmation';
  const lasts = purpose === 'work' ? SESSION_MILLISECONDS : CONFIRMATION_MILLISECONDS;
  const expires = new Date(now.getTime() + lasts).toISOString();
  await addSession(
    store,
    {
      token_hash: hashToken(token),
      operator: operator.id,
      station,
      expires,
      purpose,
      confirms: confirms === undefined ? null : JSON.stringify(confirms),
    },
    now.toISOString(),
  );
  return { apiLevel: API_LEVEL, token, expires, operator };
}

/**
 * The operator whose id and secret these are. `place`: where they were typed, a station or the server's own terminal; wrong ones are counted there.
 * @throws KaikaError `too-many-attempts` after too many wrong secrets; `sign-in-failed`, the same for an unknown operator and a wrong secret, after the same
 * work.
 */
export async function checkSecret(
  store: Store,
  place: string,
  typed: { readonly operator: string; readonly secret: string },
  now: Date,
  limits: Limits = DEFAULT_LIMITS,
): Promise<{ readonly id: string; readonly name: string }> {
  const failures = failureCounts(place, typed.operator, limits, now);
  const reached = await reserveTry(store, failures);
  const operator = await findOperator(store, typed.operator);
  const matches = await secretMatches(typed.secret, operator?.secret_hash ?? (await decoy()));
  if (operator === undefined || operator.disabled !== 0 || !matches) {
    await auditReached(store, place, reached, now);
    throw new KaikaError('sign-in-failed', 'operator or secret is wrong');
  }
  await together(store, async (db) => {
    const [own, ...shared] = failures;
    await clearCount(db, own);
    for (const one of shared) await giveCountBack(db, one);
  });
  return { id: operator.id, name: operator.name };
}

interface FailureCount extends Counted {
  readonly most: number;
}

/** Who is slowed down: one operator at one station first, then the operator everywhere, then the station for everybody. */
function failureCounts(
  station: string,
  operator: string,
  limits: Limits,
  now: Date,
): readonly [FailureCount, FailureCount, FailureCount] {
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

/**
 * Counts the try as a wrong one before the secret is looked at, and gives it back if it was right: a hundred at once would otherwise all be
 * looked at before the first was counted. Gives the names of the counts that are full with it.
 * @throws KaikaError `too-many-attempts` when one was full before; nothing is counted then
 */
async function reserveTry(store: Store, failures: readonly FailureCount[]): Promise<string[]> {
  return together(store, async (db) => {
    const reached: string[] = [];
    // Always in this order, so that two requests never wait for each other.
    for (const { most, ...counted } of failures) {
      const count = await takeCount(db, counted, most);
      if (count === undefined)
        throw new KaikaError('too-many-attempts', 'too many wrong secrets in the last quarter of an hour');
      if (count === most) reached.push(counted.scope);
    }
    return reached;
  });
}

/** Once for each count, when it is reached: afterwards nothing is tried any more. */
async function auditReached(
  store: Store,
  station: string,
  reached: readonly string[],
  now: Date,
): Promise<void> {
  if (reached.length === 0) return;
  await together(store, async (db) => {
    for (const cap of reached) await writeAudit(db, { kind: 'limit', station, detail: { cap } }, now);
  });
}

/** Who is signed in, where, and until when (ISO 8601). */
export interface Session {
  readonly station: string;
  readonly operator: { readonly id: string; readonly name: string };
  readonly expires: string;
}

/** The running session of a token, for work; undefined when there is none, or its operator may not sign in any more. */
export async function findSession(store: Store, token: string, now: Date): Promise<Session | undefined> {
  const row = await readSession(store, hashToken(token));
  if (row === undefined || row.purpose !== 'work' || row.expires <= now.toISOString()) return undefined;
  return {
    station: row.station,
    operator: { id: row.operator, name: row.name },
    expires: row.expires,
  };
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

let decoyHash: Promise<string> | undefined;

/** Something to compare with for operators who do not exist, so that both refusals take the same time. */
function decoy(): Promise<string> {
  decoyHash ??= hashSecret(randomBytes(16).toString('hex'));
  return decoyHash;
}
