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

/**
 * Takes the card, from whoever had it, unless the station has `most` other cards in hand at `lease.since`. Says whether it was taken. Asking and
 * taking is one statement; on PostgreSQL the caller also holds a row that every start of this station writes, or two statements that run at
 * the same time would not see each other's lease.
 */
export async function holdLease(db: Queries, lease: LeasesTable, most: number): Promise<boolean> {
  const { card, job, station, operator, reader, since, expires } = lease;
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('leases')
    .columns(['card', 'job', 'station', 'operator', 'reader', 'since', 'expires'])
    .expression(
      db
        .selectNoFrom(({ val }) => [
          val(card).as('card'),
          val(job).as('job'),
          val(station).as('station'),
          val(operator).as('operator'),
          val(reader).as('reader'),
          val(since).as('since'),
          val(expires).as('expires'),
        ])
        .where(
          (select) =>
            select
              .selectFrom('leases')
              .select(({ fn }) => fn.countAll<number>().as('others'))
              .where('station', '=', station)
              .where('card', '!=', card)
              .where('expires', '>', since),
          '<',
          most,
        ),
    )
    .onConflict((conflict) =>
      conflict.column('card').doUpdateSet({ job, station, operator, reader, since, expires }),
    )
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
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
