/** A supervisor's decision that a card may be worked on again. */
import { KaikaError } from '../../protocol/errors.ts';
import { writeAudit } from '../audit/entries.ts';
import { findCard } from '../store/cards.ts';
import { readStoreGeneration } from '../store/generation.ts';
import { releaseCard, supersedeOpenJobs } from '../store/jobs.ts';
import type { Store } from '../store/open.ts';

export interface Release {
  readonly card: string;
  readonly operator: string;
  readonly reason: string;
}

/**
 * Takes back that the card was set aside, and allows one more try in each slot whose tries had become few. One: if the reason was
 * wrong, the card still refuses before its own counter is used up. Audited with what was there before.
 * @throws KaikaError `not-found`, `not-permitted` for somebody who may not sign in, `card-in-use`, `nothing-to-do`
 */
export async function releaseSetAside(store: Store, release: Release, now: Date): Promise<void> {
  await store.transaction().execute(async (db) => {
    const storeGeneration = String(await readStoreGeneration(db));
    const raised = await db
      .updateTable('cards')
      // Of the store as it is now: a receipt from before a restore is older than this, and still puts right what nobody touched.
      .set((set) => ({ generation: set('generation', '+', 1), store_generation: storeGeneration }))
      .where('id', '=', release.card)
      .executeTakeFirst();
    if (raised.numUpdatedRows !== 1n) throw new KaikaError('not-found', 'this card was never seen');
    const operator = await db
      .selectFrom('operators')
      .select('id')
      .where('id', '=', release.operator)
      .where('disabled', '=', 0)
      .executeTakeFirst();
    if (operator === undefined) throw new KaikaError('not-permitted', 'there is no such operator');
    const lease = await db
      .selectFrom('leases')
      .select('expires')
      .where('card', '=', release.card)
      .executeTakeFirst();
    if (lease !== undefined && lease.expires > now.toISOString())
      throw new KaikaError('card-in-use', 'a station has a job on this card');
    const card = await findCard(db, release.card);
    const slots = await db
      .selectFrom('card_keys')
      .select(['app', 'slot', 'spent', 'refused'])
      .where('card', '=', release.card)
      .where((is) => is.or([is('spent', '>', 0), is('refused', '!=', 0)]))
      .orderBy('app')
      .orderBy('slot')
      .execute();
    if (card?.set_aside == null && slots.length === 0)
      throw new KaikaError('nothing-to-do', 'the card was neither set aside nor are its tries few');
    await db.updateTable('cards').set({ set_aside: null }).where('id', '=', release.card).execute();
    for (const { app, slot, spent } of slots) {
      await db
        .updateTable('card_keys')
        // A maintenance key that was refused stays so: it is then written anew before it is used.
        .set({ spent: Math.max(0, spent - 1), ...(slot === 'mck' ? { refused: 0 } : {}) })
        .where('card', '=', release.card)
        .where('app', '=', app)
        .where('slot', '=', slot)
        .execute();
    }
    await supersedeOpenJobs(db, release.card, now.toISOString());
    await releaseCard(db, release.card);
    const { card: id, operator: who, reason } = release;
    const detail = { reason, setAside: card?.set_aside ?? null, slots };
    await writeAudit(db, { kind: 'release', card: id, operator: who, detail }, now);
  });
}
