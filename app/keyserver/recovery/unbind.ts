/**
 * Two people's decisions about what a station only claimed: that a card has an account (`unbind`), and that there is such a card at all
 * (`forget`). Nothing on record proves either of an FMCOS card, so both can be wrong, and only people can find out.
 */
import { KaikaError } from '../../protocol/errors.ts';
import { requireRight } from '../access/terminal.ts';
import { requireTwoPeople, type TwoPeople } from '../access/two-people.ts';
import { writeAudit } from '../audit/entries.ts';
import { readSetAside } from '../issuer/set-aside-stored.ts';
import { mayHaveKeysOf } from '../issuer/wanted-grip.ts';
import { endBinding, findOpenBindings } from '../store/bindings.ts';
import { writeSetAside } from '../store/card-rows.ts';
import { dropCardState, readCardState } from '../store/cards.ts';
import type { Store } from '../store/store.ts';
import { together } from '../store/transaction.ts';
import { takeInHand } from './take-in-hand.ts';

interface Decision extends TwoPeople {
  readonly card: string;
  readonly reason: string;
}

/**
 * Takes a card's account from it, so that another card may get it. A card that may hold keys of the account is set aside: it must not be issued
 * any further beside one that has the same keys. Gives whether it was.
 * @throws KaikaError `not-found`, `nothing-to-do` for a card without account, `card-in-use`; as `requireTwoPeople`
 */
export async function unbindCard(
  store: Store,
  decision: Decision,
  now: Date,
): Promise<{ setAside: boolean }> {
  await requireTwoPeople(store, decision, 'decide-card', now);
  return together(store, async (db) => {
    const { card, operator, second, reason } = decision;
    const at = now.toISOString();
    const row = await takeInHand(db, card, at);
    for (const one of [operator, second]) await requireRight(db, one, 'decide-card');
    const { own } = await findOpenBindings(db, card, row.factor ?? '');
    if (own === undefined) throw new KaikaError('nothing-to-do', 'the card has no account');
    await endBinding(db, own, at);
    const state = await readCardState(db, card);
    const hasIssuersDomain = state.domain?.candidates.some(({ origin }) => origin === 'issuer') === true;
    const setAside = mayHaveKeysOf(state, own.factor) || hasIssuersDomain;
    if (setAside && row.set_aside === null) await writeSetAside(db, card, { code: 'account-taken-away' });
    const detail = { reason, second, reserved: own.reservedUntil !== null, setAside };
    await writeAudit(db, { kind: 'unbind', card, operator, detail }, now);
    return { setAside };
  });
}

/**
 * Drops what is known of a card's apps and keys, its account, and that it is set aside: it is then as if never seen. Its jobs stay on record, and
 * the audit keeps what was dropped.
 * @throws KaikaError `not-found`, `card-in-use`; as `requireTwoPeople`
 */
export async function forgetCard(store: Store, decision: Decision, now: Date): Promise<void> {
  await requireTwoPeople(store, decision, 'decide-card', now);
  await together(store, async (db) => {
    const { card, operator, second, reason } = decision;
    const at = now.toISOString();
    const row = await takeInHand(db, card, at);
    for (const one of [operator, second]) await requireRight(db, one, 'decide-card');
    const state = await readCardState(db, card);
    const { own } = await findOpenBindings(db, card, row.factor ?? '');
    if (own !== undefined) await endBinding(db, own, at);
    await dropCardState(db, card);
    await writeSetAside(db, card, null);
    // Key versions and diversification data, never keys: with them a person can put right what was forgotten by mistake.
    const detail = { reason, second, state, setAside: readSetAside(row.set_aside) };
    await writeAudit(db, { kind: 'forget', card, operator, detail }, now);
  });
}
