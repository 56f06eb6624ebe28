/** A card belongs to its account from the first command on that changes it. */
import { KaikaError } from '../../protocol/errors.ts';
import type { JobState } from '../issuer/state.ts';
import { insertBinding, type OpenBindings } from '../store/bindings.ts';
import type { Queries } from '../store/store.ts';

/**
 * Binds the job's card to its account unless it is bound already. `bound`: as read in the same transaction, behind the card's row.
 * @throws KaikaError `account-taken`, `account-mismatch`
 */
export async function bindToAccount(
  db: Queries,
  { identification: card, account, accountFactor: factor }: JobState,
  bound: OpenBindings,
  by: { readonly since: string; readonly job: string },
): Promise<void> {
  if (bound.taken) throw new KaikaError('account-taken', 'another card has this account');
  if (bound.account === null) await insertBinding(db, { card, account, factor, ...by });
  else if (bound.account !== account)
    throw new KaikaError('account-mismatch', 'the card belongs to another account');
}
