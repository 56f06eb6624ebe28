/** A supervisor's decision that a card may be worked on again. */
import type { Catalogue } from '../../catalogue/schema.ts';
import { type AppRule, issuingOf } from '../../dialects/dialect.ts';
import { KaikaError } from '../../protocol/errors.ts';
import { writeAudit } from '../audit/entries.ts';
import { after, lifeOf, reasonOf } from '../issuer/card-life.ts';
import { readSetAside } from '../issuer/set-aside-stored.ts';
import { findCard, raiseGeneration, writeSetAside } from '../store/card-rows.ts';
import { readCardState } from '../store/cards.ts';
import { readStoreGeneration } from '../store/generation.ts';
import { supersedeOpenJobs } from '../store/jobs.ts';
import { findRunningLease, releaseCard } from '../store/leases.ts';
import { maySignIn } from '../store/people.ts';
import type { Store } from '../store/store.ts';
import { together } from '../store/transaction.ts';
import { listSpent, type SpentSlot, writeTries } from '../store/tries.ts';

interface Release {
  readonly card: string;
  readonly operator: string;
  readonly reason: string;
}

/**
 * Takes back that the card was set aside, and allows one more try in each slot whose tries had become few. One: if the reason was
 * wrong, the card still refuses before its own counter is used up. A slot that `staysRefused` keeps its count too. Audited with what was
 * there before.
 * @throws KaikaError `not-found`, `not-permitted` for somebody who may not sign in, `card-in-use`, `nothing-to-do`
 */
export async function releaseSetAside(
  store: Store,
  { profiles }: Catalogue,
  release: Release,
  now: Date,
): Promise<void> {
  const { card, operator, reason } = release;
  const at = now.toISOString();
  await together(store, async (db) => {
    // The card's generation rises, in the store's present one, so that a receipt from before a restore counts as older and cannot set the
    // card aside again. It can still correct keys that no job touched since.
    if (!(await raiseGeneration(db, card, await readStoreGeneration(db))))
      throw new KaikaError('not-found', 'this card was never seen');
    if (!(await maySignIn(db, operator))) throw new KaikaError('not-permitted', 'there is no such operator');
    if ((await findRunningLease(db, card, at)) !== undefined)
      throw new KaikaError('card-in-use', 'a station has a job on this card');
    const row = await findCard(db, card);
    const slots = await listSpent(db, card);
    const profile = profiles.find(({ id }) => id === row?.card_type);
    const life = lifeOf(await readCardState(db, card), profile, readSetAside(row?.set_aside));
    const setAside = reasonOf(life);
    if (setAside === null && slots.length === 0)
      throw new KaikaError('nothing-to-do', 'the card was neither set aside nor are its tries few');
    await writeSetAside(db, card, reasonOf(after(life, { kind: 'released' })));
    const apps = profile?.apps ?? {};
    for (const one of slots.filter((slot) => !staysRefused(slot, apps[slot.app])))
      await writeTries(db, card, one, { spent: Math.max(0, one.spent - 1), refused: 0 });
    await supersedeOpenJobs(db, card, at);
    await releaseCard(db, card);
    const detail = { reason, setAside, slots };
    await writeAudit(db, { kind: 'release', card, operator, detail }, now);
  });
}

/**
 * A key that is written anew before it is used stays refused, so that this happens, and keeps its count: the card said no itself, and a
 * new key does not start the card's count of wrong MACs again. So does a key of an app whose rule is not known here: nobody can say what
 * another try would do.
 */
function staysRefused({ slot, refused }: SpentSlot, rule: AppRule | undefined): boolean {
  return refused !== 0 && (rule === undefined || issuingOf(rule).keys.rewritten.includes(slot));
}
