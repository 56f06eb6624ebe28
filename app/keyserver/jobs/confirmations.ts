/**
 * A purse is deleted only when a second person confirms it. What it says that it holds comes without a MAC from every card that there is, so an
 * amount of zero is the station's word like any other; a card that proved it would need nobody. Nothing else needs a confirmation.
 */
import { type ErrorCode, KaikaError } from '../../protocol/errors.ts';
import type { JobRequest, Wish } from '../../protocol/wire.ts';
import { Authority } from '../access/authority.ts';
import type { Confirmation } from '../access/confirmations.ts';
import type { JobContext, OperatorCaller } from './context.ts';

/** A confirmation that the job uses up. */
export interface UsedConfirmation extends Confirmation {
  readonly token: string;
}

/** What was confirmed, and which wishes fail because they were not. */
export interface Confirmations {
  readonly used: readonly UsedConfirmation[];
  /** By app. */
  readonly missing: Readonly<Record<string, ErrorCode>>;
}

/** @throws KaikaError `not-permitted` for a token that is not good for this deletion on this card, or for the amount that the request tells */
export async function confirmedDeletions(
  context: JobContext,
  caller: OperatorCaller,
  request: JobRequest,
  card: string,
): Promise<Confirmations> {
  const authority = new Authority(context);
  const used: UsedConfirmation[] = [];
  const missing: Record<string, ErrorCode> = {};
  for (const wish of request.wishes.filter(({ action }) => action === 'delete')) {
    const { app, confirmedBy: token } = wish;
    if (token === undefined) {
      const code = whyNeeded(context, request, wish);
      if (code !== undefined) missing[app] = code;
      continue;
    }
    const confirmation = await authority.confirmation(caller, token);
    const balance = balanceOf(request, app) ?? null;
    if (
      confirmation === undefined ||
      confirmation.card !== card ||
      confirmation.app !== app ||
      confirmation.balance !== balance
    )
      throw new KaikaError('not-permitted', 'a second person has to confirm', { app });
    used.push({ ...confirmation, token });
  }
  return { used, missing };
}

/** Why the deletion has to be confirmed, as staff read it; undefined where it has not. An app that is not on the card deletes no money. */
function whyNeeded({ catalogue }: JobContext, request: JobRequest, { app }: Wish): ErrorCode | undefined {
  if (catalogue.apps.find(({ id }) => id === app)?.purse !== true) return undefined;
  if (request.observed.find((one) => one.app === app)?.state === 'missing') return undefined;
  const balance = balanceOf(request, app);
  if (balance === undefined) return 'balance-unreadable';
  return balance === 0 ? 'confirmation-needed' : 'purse-not-empty';
}

function balanceOf({ observed }: JobRequest, app: string): number | undefined {
  return observed.find((one) => one.app === app)?.balance;
}
