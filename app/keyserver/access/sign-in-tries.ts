/**
 * Wrong secrets slow down whoever types them: one operator at one place after a few, longer and longer; the operator everywhere, and the place for
 * everybody, after many. All instances count together, in the store.
 */
import { createHash } from 'node:crypto';
import { KaikaError } from '../../protocol/errors.ts';
import { writeAudit } from '../audit/entries.ts';
import type { Limits } from '../limits.ts';
import { type Counted, clearCount, giveCountBack, periodOf, takeCount } from '../store/counters.ts';
import { dropOldTries, dropTries, dropTriesEnding, holdTries, writeTries } from '../store/sign-in-tries.ts';
import type { Queries, Store } from '../store/store.ts';
import { together } from '../store/transaction.ts';

/** Where secrets are typed at the server itself: wrong ones are counted as at a station of this name. No station can be called so. */
export const TERMINAL = '/terminal';

const MINUTE = 60_000;
const LONGEST_MINUTES = 15;
const QUARTER_MINUTES = 15;
const NEVER = new Date(0).toISOString();
/** After so long without another one, wrong secrets of before are forgotten. */
const FORGOTTEN_MILLISECONDS = 60 * MINUTE;

/** Minutes to wait after so many wrong secrets in a row, of which `free` cost nothing but the last: 1, 2, 4, 8 and then always 15. */
export function waitAfter(failed: number, free: number): number {
  if (failed < free) return 0;
  return failed - free > 3 ? LONGEST_MINUTES : 2 ** (failed - free);
}

/** A try that counts as a wrong one until it is given back. */
export interface Try {
  readonly place: string;
  readonly name: string;
  /** Wrong ones in a row, with this one. */
  readonly failed: number;
  /** Names of the counts that are full with it. */
  readonly reached: readonly string[];
}

/**
 * Counts a try as a wrong one before the secret is looked at: a hundred at once would otherwise all be looked at before the first was counted.
 * @throws KaikaError `sign-in-wait` while nothing is tried; nothing is counted then
 */
export function reserveTry(
  store: Store,
  place: string,
  operator: string,
  { signInFailures: free }: Pick<Limits, 'signInFailures'>,
  now: Date,
): Promise<Try> {
  const name = hashOf(operator);
  return together(store, async (db) => {
    const subject = `${place}/${name}`;
    const row = await holdTries(db, subject, now.toISOString());
    const waits = Date.parse(row.until) - now.getTime();
    if (waits > 0) throw wait(waits);
    const forgotten = now.getTime() - Date.parse(row.last) > FORGOTTEN_MILLISECONDS;
    const failed = forgotten ? 1 : row.failed + 1;
    const minutes = waitAfter(failed, free);
    // Clocks of two instances may be a second apart: where there is no wait, none may come of that.
    const until = minutes === 0 ? NEVER : new Date(now.getTime() + minutes * MINUTE).toISOString();
    await writeTries(db, { subject, failed, last: now.toISOString(), until });
    const reached = failed === free || minutes === LONGEST_MINUTES ? ['sign-in-here'] : [];
    // Always in this order, so that two requests never wait for each other.
    for (const { most, ...counted } of sharedCounts(place, name, free, now)) {
      const count = await takeCount(db, counted, most);
      if (count === undefined) throw wait(untilNextQuarter(now));
      if (count === most) reached.push(counted.scope);
    }
    return { place, name, failed, reached };
  });
}

/** The secret was right. */
export async function giveTryBack(store: Store, { place, name }: Try, now: Date): Promise<void> {
  await together(store, async (db) => {
    await dropTries(db, `${place}/${name}`);
    for (const one of sharedCounts(place, name, 1, now)) await giveCountBack(db, one);
  });
}

/**
 * The secret was wrong: what is said of it, the same for every operator, also one who is not there. When a count is full, and then at each of the longest
 * waits, that goes to the audit. `operator`: who of this id is there.
 */
export async function wrongTry(
  store: Store,
  { place, failed, reached }: Try,
  operator: string | undefined,
  { signInFailures: free }: Pick<Limits, 'signInFailures'>,
  now: Date,
): Promise<KaikaError> {
  if (reached.length > 0)
    await together(store, async (db) => {
      for (const cap of reached) await noteWrong(db, place, operator, { cap, failed }, now);
    });
  const isShared = reached.some((cap) => cap !== 'sign-in-here');
  const minutes = isShared
    ? Math.ceil(untilNextQuarter(now) / MINUTE)
    : waitAfter(Math.max(failed, free), free);
  const left = isShared ? 0 : Math.max(0, free - failed);
  return new KaikaError('sign-in-failed', 'operator or secret is wrong', { left, minutes });
}

function noteWrong(
  db: Queries,
  place: string,
  operator: string | undefined,
  detail: { readonly cap: string; readonly failed: number },
  now: Date,
): Promise<void> {
  const whose = operator === undefined ? {} : { operator };
  return place === TERMINAL
    ? writeAudit(db, { kind: 'sign-in-refused', ...whose, detail }, now)
    : writeAudit(db, { kind: 'limit', station: place, ...whose, detail }, now);
}

/** Forgets an operator's wrong secrets, wherever they were typed. */
export async function forgetTries(db: Queries, operator: string, now: Date): Promise<void> {
  const name = hashOf(operator);
  await dropTriesEnding(db, `/${name}`);
  await clearCount(db, { scope: 'sign-in-operator', subject: name, period: periodOf(now, 'quarter') });
}

/** Those of which nothing hangs any more. */
export function forgetOldTries(store: Store, now: Date): Promise<void> {
  return dropOldTries(store, new Date(now.getTime() - FORGOTTEN_MILLISECONDS).toISOString());
}

/** The operator everywhere, and the place for everybody. */
function sharedCounts(
  place: string,
  name: string,
  free: number,
  now: Date,
): readonly (Counted & { readonly most: number })[] {
  const period = periodOf(now, 'quarter');
  const station = { scope: 'sign-in-station', subject: place, period, most: 10 * free };
  // Stations that type wrong secrets must not keep people from the terminal, where a station is shut out.
  if (place === TERMINAL) return [station];
  return [{ scope: 'sign-in-operator', subject: name, period, most: 4 * free }, station];
}

function wait(milliseconds: number): KaikaError {
  return new KaikaError('sign-in-wait', 'too many wrong secrets: nothing is tried for a while', {
    minutes: Math.ceil(milliseconds / MINUTE),
  });
}

function untilNextQuarter(now: Date): number {
  const quarter = QUARTER_MINUTES * MINUTE;
  return quarter - (now.getTime() % quarter);
}

/** Operators are named by whoever knocks: a hash bounds what is stored. */
function hashOf(operator: string): string {
  return createHash('sha256').update(operator).digest('hex').slice(0, 32);
}
