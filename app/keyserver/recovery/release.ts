/** People's decisions that a card may be worked on again: what one person may give, and what takes two. */
import { type Catalogue, RESERVED_APP_ID } from '../../catalogue/schema.ts';
import { KaikaError } from '../../protocol/errors.ts';
import { requireRight } from '../access/terminal.ts';
import { requireTwoPeople } from '../access/two-people.ts';
import { writeAudit } from '../audit/entries.ts';
import { after, lifeOf, reasonOf } from '../issuer/card-life.ts';
import { type CardState, type KeptApp, withApp } from '../issuer/card-state.ts';
import { type LastTry, released, spentSlots } from '../issuer/released.ts';
import { readSetAside } from '../issuer/set-aside-stored.ts';
import { writeSetAside } from '../store/card-rows.ts';
import { readCardState, writeCardState } from '../store/cards.ts';
import type { Store } from '../store/store.ts';
import { together } from '../store/transaction.ts';
import { takeInHand } from './take-in-hand.ts';

interface Release {
  readonly card: string;
  /** Who answers for it. */
  readonly operator: string;
  readonly reason: string;
  /** Who agrees, and their secret as typed. Without them no attempt is allowed that may be a key's last. */
  readonly second?: { readonly id: string; readonly secret: string };
  /** An app that is not on the card any more, though nothing proves it: the keys that are kept of it go. Two people only. */
  readonly gone?: string;
}

/** What is to be said of it. */
interface Released {
  readonly lastTries: readonly LastTry[];
}

/**
 * Takes back that the card was set aside and that it refused keys, and allows attempts as `released` says. Audited with what was there before.
 * @throws KaikaError `not-found`, `not-permitted` for somebody who may not sign in, `card-in-use`, `nothing-to-do`; with a second person as
 * `requireTwoPeople`. Nothing is changed then
 */
export async function releaseSetAside(
  store: Store,
  { profiles }: Catalogue,
  release: Release,
  now: Date,
): Promise<Released> {
  const { card, operator, reason, second, gone } = release;
  if (second !== undefined)
    await requireTwoPeople(store, { operator, second: second.id, secret: second.secret }, 'decide-card', now);
  else if (gone !== undefined)
    throw new KaikaError('not-permitted', 'what is kept of an app is given up by two people only');
  const at = now.toISOString();
  return together(store, async (db) => {
    const row = await takeInHand(db, card, at);
    await requireRight(db, operator, 'decide-card');
    if (second !== undefined) await requireRight(db, second.id, 'decide-card');
    const known = await readCardState(db, card);
    const dropped = gone === undefined ? undefined : withoutKept(known, gone);
    const profile = profiles.find(({ id }) => id === row.card_type);
    const life = lifeOf(known, profile, readSetAside(row.set_aside));
    const people = second === undefined ? 'one' : 'two';
    const { card: next, lastTries, keptForShown } = released(dropped?.card ?? known, profile, people);
    const setAside = reasonOf(life);
    if (setAside === null && next === known) throw nothingToGive(lastTries, keptForShown);
    await writeSetAside(db, card, reasonOf(after(life, { kind: 'released' })));
    await writeCardState(db, card, known, next, at);
    const detail = {
      reason,
      setAside,
      slots: spentSlots(known),
      ...(second === undefined ? {} : { second: second.id, lastTries }),
      // Key versions and diversification data, never keys: with them a person can put right what was dropped by mistake.
      ...(dropped === undefined ? {} : { gone, kept: dropped.kept }),
    };
    await writeAudit(db, { kind: 'release', card, operator, detail }, now);
    return { lastTries };
  });
}

/** @throws KaikaError `nothing-to-do`, `not-permitted` for an app that is on the card by the record */
function withoutKept(card: CardState, app: string): { readonly card: CardState; readonly kept: KeptApp } {
  const known = Object.hasOwn(card.apps, app) ? card.apps[app] : undefined;
  if (known?.kept === undefined)
    throw new KaikaError(
      'nothing-to-do',
      `nothing is kept of ${app}: it has no keys on this card beside those of the record`,
    );
  if (known.keys !== null)
    throw new KaikaError(
      'not-permitted',
      `by the record ${app} is on the card: a job on the card settles which keys it has`,
    );
  const { kept, ...rest } = known;
  return { card: withApp(card, app, () => rest), kept };
}

function nothingToGive(lastTries: readonly LastTry[], keptForShown: boolean): KaikaError {
  const waiting = lastTries.filter(({ granted }) => !granted).map(nameOf);
  const second = '--second ID of another supervisor, whose secret is the next line of standard input.';
  if (waiting.length > 0)
    return new KaikaError(
      'nothing-to-do',
      `All that is left to give is the last try of ${waiting.join(', ')}: one wrong attempt more may lock it for good. Two people may allow it: ${second}`,
    );
  return new KaikaError(
    'nothing-to-do',
    keptForShown
      ? `An attempt is allowed already, to the card when it shows itself by its security domain. To one that cannot, two people may allow it: ${second}`
      : 'There is nothing to give: the card is not set aside, no key of it waits for a release, or its card type or app is not in the catalogue any more.',
  );
}

/** Whose last try it is, for people at the terminal. */
export function nameOf({ app, slot }: Pick<LastTry, 'app' | 'slot'>): string {
  return app === RESERVED_APP_ID ? 'the card’s security domain' : `${app} (${slot})`;
}
