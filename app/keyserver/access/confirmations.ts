/**
 * A second person confirms one deletion: that app of that card, with the amount that its purse says. The token is good for one job that does
 * this, at the station where it was given, for minutes.
 */
import { type ConfirmedDeletion, confirmedDeletionSchema } from '../../protocol/wire.ts';
import { endSession, readSession } from '../store/people.ts';
import type { Queries, Store } from '../store/store.ts';
import type { OperatorCaller } from './callers.ts';
import { hasRight } from './rights.ts';
import { hashToken, isOfBranch } from './sessions.ts';

/** What somebody confirmed, and who. */
export interface Confirmation extends ConfirmedDeletion {
  readonly by: string;
}

/** What this token confirms for `caller`; undefined for a token that is over or used up, one's own, one of another station, one of somebody who may not
 * confirm any more, and one for work. */
export async function findConfirmation(
  store: Store,
  caller: OperatorCaller,
  token: string,
  now: Date,
): Promise<Confirmation | undefined> {
  const row = await readSession(store, hashToken(token));
  const good =
    row !== undefined &&
    row.purpose === 'confirmation' &&
    row.expires > now.toISOString() &&
    row.station === caller.station &&
    row.operator !== caller.operator &&
    hasRight(row.person.role, 'confirm-deletion') &&
    isOfBranch(row.person.branch, caller);
  if (!good || row.confirms === null) return undefined;
  return { ...confirmedDeletionSchema.parse(JSON.parse(row.confirms)), by: row.operator };
}

/** Uses a confirmation up, in the transaction that acts on it. Gives false when another request was first. */
export function spendConfirmation(db: Queries, token: string): Promise<boolean> {
  return endSession(db, hashToken(token));
}
