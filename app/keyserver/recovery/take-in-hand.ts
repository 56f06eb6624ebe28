/** How every decision of people about a card begins. */
import { KaikaError } from '../../protocol/errors.ts';
import { type CardRow, findCard, raiseGeneration } from '../store/card-rows.ts';
import { readStoreGeneration } from '../store/generation.ts';
import { supersedeOpenJobs } from '../store/jobs.ts';
import { findRunningLease, releaseCard } from '../store/leases.ts';
import type { Queries } from '../store/store.ts';

/**
 * Ends the card's jobs. Its generation rises in the store's present one, so that late answers, and receipts from before, change nothing of what is
 * decided now.
 * @throws KaikaError `not-found`, `card-in-use`
 */
export async function takeInHand(db: Queries, card: string, at: string): Promise<CardRow> {
  if (!(await raiseGeneration(db, card, await readStoreGeneration(db))))
    throw new KaikaError('not-found', 'this card was never seen');
  if ((await findRunningLease(db, card, at)) !== undefined)
    throw new KaikaError('card-in-use', 'a station has a job on this card');
  await supersedeOpenJobs(db, card, at);
  await releaseCard(db, card);
  const row = await findCard(db, card);
  if (row === undefined) throw new Error('a card whose generation was raised is there');
  return row;
}
