/** Operators signing in at a station. A token is worth something only at the station it was given to. */
import { createHash, randomBytes } from 'node:crypto';
import { KaikaError } from '../../protocol/errors.ts';
import type { Role } from '../../protocol/roles.ts';
import { API_LEVEL, type SignInReply, type SignInRequest } from '../../protocol/wire.ts';
import { writeAudit } from '../audit/entries.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import type { Store } from '../store/open.ts';
import {
  addSession,
  changeOperator,
  endSessionsOf,
  findOperator,
  holdOperator,
  type PersonWithSecret,
  readSession,
} from '../store/people.ts';
import type { Queries } from '../store/store.ts';
import { together } from '../store/transaction.ts';
import type { StationCaller } from './callers.ts';
import { hasRight } from './rights.ts';
import { hashSecret, secretMatches } from './secrets.ts';
import { giveTryBack, reserveTry, wrongTry } from './sign-in-tries.ts';

const SESSION_MILLISECONDS = 10 * 3600 * 1000;
const CONFIRMATION_MILLISECONDS = 5 * 60 * 1000;

/**
 * @throws KaikaError as `checkSecret`; `not-permitted` for somebody of another branch, and for one who may not confirm; `secret-change-needed`
 * for a secret that somebody else made, unless another comes with it
 */
export async function signIn(
  store: Store,
  caller: StationCaller,
  request: SignInRequest,
  now: Date,
  limits: Limits = DEFAULT_LIMITS,
): Promise<SignInReply> {
  const { station } = caller;
  const { confirms, newSecret } = request;
  const known = await checkSecret(store, station, request, now, limits);
  const { id, name, role, branch } = known;
  if (!isOfBranch(branch, caller))
    throw new KaikaError('not-permitted', 'this station is of another branch', { branch: branch ?? '' });
  if (known.secretUntil !== null && newSecret === undefined)
    throw new KaikaError('secret-change-needed', 'first choose a secret of your own');
  if (confirms !== undefined && !hasRight(role, 'confirm-deletion'))
    throw new KaikaError('not-permitted', `a ${role} may not confirm this`);
  const chosen =
    newSecret === undefined || known.hasChosen ? undefined : await chosenHash(request.secret, newSecret);
  const token = randomBytes(32).toString('base64url');
  const purpose = confirms === undefined ? 'work' : 'confirmation';
  const lasts = purpose === 'work' ? SESSION_MILLISECONDS : CONFIRMATION_MILLISECONDS;
  const expires = new Date(now.getTime() + lasts).toISOString();
  const session = {
    token_hash: hashToken(token),
    operator: id,
    station,
    expires,
    purpose,
    confirms: confirms === undefined ? null : JSON.stringify(confirms),
  };
  await together(store, async (db) => {
    await holdAsKnown(db, known);
    if (chosen !== undefined) await keepChosen(db, id, chosen, { station }, now);
    await addSession(db, session, now.toISOString());
  });
  return { apiLevel: API_LEVEL, token, expires, operator: { id, name } };
}

/**
 * Whoever has proven at the server's terminal who they are chooses another secret; whatever they are signed in for ends.
 * @throws KaikaError `secret-change-needed` for the same one; `sign-in-failed` where somebody was faster
 */
export async function chooseSecret(
  store: Store,
  known: Pick<PersonWithSecret, 'id' | 'secretHash'>,
  old: string,
  chosen: string,
  now: Date,
): Promise<void> {
  const secretHash = await chosenHash(old, chosen);
  await together(store, async (db) => {
    await holdAsKnown(db, known);
    await keepChosen(db, known.id, secretHash, {}, now);
  });
}

/** What was checked still holds, and goes on holding: nobody was given another secret, or shut out, since. */
async function holdAsKnown(
  db: Queries,
  { id, secretHash }: Pick<PersonWithSecret, 'id' | 'secretHash'>,
): Promise<void> {
  if (!(await holdOperator(db, id, secretHash)))
    throw new KaikaError('sign-in-failed', 'the secret was changed meanwhile');
}

function chosenHash(old: string, chosen: string): Promise<string> {
  if (old === chosen) throw new KaikaError('secret-change-needed', 'the new secret is the old one');
  return hashSecret(chosen);
}

/** `at`: the station where it was chosen; none for the server's terminal. */
async function keepChosen(
  db: Queries,
  id: string,
  secretHash: string,
  at: { readonly station?: string },
  now: Date,
): Promise<void> {
  await changeOperator(db, id, { secretHash, secretUntil: null });
  await endSessionsOf(db, id);
  const kind = at.station === undefined ? 'terminal-own-secret' : 'operator-own-secret';
  await writeAudit(db, { kind, operator: id, ...at, detail: {} }, now);
}

/** Whether somebody of this branch works at this station: whoever is of none works everywhere, and a station of none takes everybody. */
export function isOfBranch(branch: string | null, { branch: of }: Pick<StationCaller, 'branch'>): boolean {
  return branch === null || of === undefined || branch === of;
}

/** Somebody who has proven who they are. */
interface Proven extends PersonWithSecret {
  /** By the secret that came as the new one: an earlier request, whose answer was lost, has made it theirs. */
  readonly hasChosen: boolean;
}

/**
 * The operator whose id and secret these are. `place`: where they were typed, a station or the server's own terminal; wrong ones are counted there.
 * @throws KaikaError `sign-in-wait` for a while after a few wrong secrets; `sign-in-failed`, the same for an unknown operator, a wrong secret and one that
 * somebody else made too long ago, after the same work.
 */
export async function checkSecret(
  store: Store,
  place: string,
  typed: Pick<SignInRequest, 'operator' | 'secret' | 'newSecret'>,
  now: Date,
  limits: Limits = DEFAULT_LIMITS,
): Promise<Proven> {
  const tried = await reserveTry(store, place, typed.operator, limits, now);
  const operator = await findOperator(store, typed.operator);
  const how = await howProven(operator, typed, now);
  if (operator === undefined || operator.disabled || how === 'not')
    throw await wrongTry(store, tried, operator?.id, limits, now);
  await giveTryBack(store, tried, now);
  return { ...operator, hasChosen: how === 'by-the-new-one' };
}

async function howProven(
  operator: PersonWithSecret | undefined,
  { secret, newSecret }: Pick<SignInRequest, 'secret' | 'newSecret'>,
  now: Date,
): Promise<'by-theirs' | 'by-the-new-one' | 'not'> {
  const hash = operator?.secretHash ?? (await decoy());
  const until = operator?.secretUntil ?? null;
  if (await secretMatches(secret, hash))
    return until === null || until > now.toISOString() ? 'by-theirs' : 'not';
  if (newSecret === undefined || !(await secretMatches(newSecret, hash))) return 'not';
  return until === null ? 'by-the-new-one' : 'not';
}

/** Who is signed in, where, and until when (ISO 8601). */
export interface Session {
  readonly station: string;
  readonly operator: { readonly id: string; readonly name: string };
  readonly role: Role;
  /** Null: of every branch. */
  readonly branch: string | null;
  readonly expires: string;
}

/** The running session of a token, for work; undefined when there is none, or its operator may not sign in any more. */
export async function findSession(store: Store, token: string, now: Date): Promise<Session | undefined> {
  const row = await readSession(store, hashToken(token));
  if (row === undefined || row.purpose !== 'work' || row.expires <= now.toISOString()) return undefined;
  const { station, operator, expires, person } = row;
  const { name, role, branch } = person;
  return { station, operator: { id: operator, name }, role, branch, expires };
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
