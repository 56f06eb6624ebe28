/** Leases: which job, of which station, has a card in hand. One a card. */
import type { Queries } from './store.ts';
import type { LeasesTable } from './tables.ts';

export async function findLease(db: Queries, card: string): Promise<LeasesTable | undefined> {
  return db.selectFrom('leases').selectAll().where('card', '=', card).executeTakeFirst();
}

/** The lease on the card that has not run out; undefined when nobody has it in hand. */
export async function findRunningLease(
  db: Queries,
  card: string,
  now: string,
): Promise<LeasesTable | undefined> {
  const lease = await findLease(db, card);
  return lease !== undefined && lease.expires > now ? lease : undefined;
}

/** How many other cards the station has in hand. */
export async function countOthersInHand(
  db: Queries,
  station: string,
  card: string,
  now: string,
): Promise<number> {
  const rows = await db
    .selectFrom('leases')
    .select('card')
    .where('station', '=', station)
    .where('card', '!=', card)
    .where('expires', '>', now)
    .execute();
  return rows.length;
}

/** Takes the card, from whoever had it. */
export async function holdLease(db: Queries, lease: LeasesTable): Promise<void> {
  const { card: _card, ...values } = lease;
  await db
    .insertInto('leases')
    .values(lease)
    .onConflict((conflict) => conflict.column('card').doUpdateSet(values))
    .execute();
}

export async function renewLease(db: Queries, job: string, expires: string): Promise<void> {
  await db.updateTable('leases').set({ expires }).where('job', '=', job).execute();
}

/** Ends whatever lease there is on the card. */
export async function releaseCard(db: Queries, card: string): Promise<void> {
  await db.deleteFrom('leases').where('card', '=', card).execute();
}

/** Ends the job's lease; one of a later job on the card stays. */
export async function endLease(db: Queries, card: string, job: string): Promise<void> {
  await db.deleteFrom('leases').where('card', '=', card).where('job', '=', job).execute();
}
