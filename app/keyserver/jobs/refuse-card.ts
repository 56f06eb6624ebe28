/** Who may have a job on a card: not one that is set aside, nor of another type before, nor another account's, nor in another station's hands. */
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { factorOf } from '../../dialects/keys.ts';
import { KaikaError } from '../../protocol/errors.ts';
import { setAsideDetails } from '../../protocol/set-aside.ts';
import type { JobRequest } from '../../protocol/wire.ts';
import { type CardLife, reasonOf } from '../issuer/card-life.ts';
import type { CardState } from '../issuer/card-state.ts';
import { standingOf } from '../issuer/card-type.ts';
import { findBindingOf, holds } from '../store/bindings.ts';
import { type CardRow, ownAccount } from '../store/card-rows.ts';
import { findLatestShown } from '../store/jobs.ts';
import { findRunningLease } from '../store/leases.ts';
import { namesOf } from '../store/people.ts';
import { isOnlyNamed } from './binding.ts';
import type { JobContext, OperatorCaller } from './context.ts';

/**
 * Reasons to refuse the card itself: set aside, bound to another account, in another station's hands. Says whether the account is kept for another
 * card, or the card for another account, on nothing but a station's word.
 */
export async function refuseCard(
  context: JobContext,
  caller: OperatorCaller,
  request: JobRequest,
  card: {
    readonly identification: string;
    readonly profile: CardTypeProfile;
    readonly row: CardRow | undefined;
    readonly before: CardState;
    readonly life: CardLife;
  },
): Promise<boolean> {
  const { identification, profile, row, before, life } = card;
  if (row !== undefined && row.card_type !== profile.id && !(await isOnlyTold(context, row, before)))
    throw new KaikaError('wrong-card-type', 'the card was of another type before');
  const setAside = reasonOf(life);
  if (setAside !== null)
    throw new KaikaError('card-set-aside', 'the card is set aside', setAsideDetails(setAside));
  const now = context.now().toISOString();
  // Cards of other types can show nothing: of them a station's word is all there is.
  const onlyNamed = async (binding: Parameters<typeof isOnlyNamed>[1]) =>
    profile.securityDomain !== undefined && (await isOnlyNamed(context.store, binding));
  const elsewhere = belongsElsewhere(row, before, request.account, now);
  if (elsewhere !== 'no') {
    const own = { job: row?.kept_by ?? null, reservedUntil: row?.reserved_until ?? null };
    if (elsewhere === 'moved' || !(await onlyNamed(own)))
      throw new KaikaError('account-mismatch', 'the card belongs to another account');
  }
  const other = await findBindingOf(context.store, factorOf(request.account));
  const isTaken = other !== undefined && other.card !== identification && holds(other, now);
  if (isTaken && !(await onlyNamed(other)))
    throw new KaikaError('account-taken', 'another card has this account');
  const lease = await findRunningLease(context.store, identification, now);
  if (lease !== undefined && lease.station !== caller.station) {
    throw new KaikaError('card-in-use', 'another station has a job on this card', {
      operator: (await namesOf(context.store, [lease.operator]))(lease.operator),
      station: lease.station,
      reader: lease.reader,
      since: lease.since,
    });
  }
  return isTaken || elsewhere !== 'no';
}

/** Whether nothing but a station's word says that the card is of the type on record. */
async function isOnlyTold(
  { store, catalogue }: JobContext,
  row: CardRow,
  before: CardState,
): Promise<boolean> {
  const type = catalogue.profiles.find(({ id }) => id === row.card_type);
  switch (standingOf(before, type, ownAccount(row))) {
    case 'open':
      return true;
    case 'unless-shown':
      return (await findLatestShown(store, row.id, 1)).length === 0;
    case 'stands':
      return false;
  }
}

/**
 * An account that was only kept for the card, and is no longer, is not the card's: its apps are moved to another's keys as to another version.
 * Its domain's keys are not, and may be diversified with the account.
 */
function belongsElsewhere(
  row: CardRow | undefined,
  { domain }: CardState,
  account: string,
  now: string,
): 'no' | 'kept' | 'moved' {
  if (row === undefined || row.account === null || row.account === account) return 'no';
  if (domain?.candidates.some(({ origin }) => origin === 'issuer') === true) return 'moved';
  return holds({ reservedUntil: row.reserved_until }, now) ? 'kept' : 'no';
}
