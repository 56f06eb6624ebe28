/** Leases: which job, of which station, has a card in hand. One a card. */
import { sql } from 'kysely';
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
 * the same time would not see each other's lease. A station whose last job on the card ended, or still runs, without the card's having shown itself
 * gets no longer than it had, and for some minutes a short one: it may not have the card at all, and could keep it from others by asking again and again.
 */
export async function holdLease(db: Queries, lease: NewLease, most: number): Promise<boolean> {
  const { card, job, station, operator, reader, since, expires } = lease;
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('leases')
    .columns(['card', 'job', 'station', 'operator', 'reader', 'since', 'expires', 'shown'])
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
          sql<number>`0`.as('shown'),
        ])
        .where((select) => select(othersInHand(db, { card, station, now: since }), '<', most)),
    )
    .onConflict((conflict) =>
      conflict.column('card').doUpdateSet((set) => {
        const unshown = set.and([set('leases.station', '=', station), set('leases.shown', '=', 0)]);
        return {
          job,
          station,
          operator,
          reader,
          since,
          shown: 0,
          expires: set
            .case()
            .when(set.and([unshown, set('leases.expires', '>', before(since, FREE_MILLISECONDS))]))
            .then(set.ref('leases.expires'))
            .when(set.and([unshown, set('leases.expires', '>', before(since, REMEMBERED_MILLISECONDS))]))
            .then(before(since, -SHORT_MILLISECONDS))
            .else(expires)
            .end(),
        };
      }),
    )
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

type NewLease = Omit<LeasesTable, 'shown'>;

/**
 * That a station's job did not show its card is held against it for minutes: for this long after its lease ran out others have the card for certain, and
 * then it gets a short one. Somebody who comes again with a card that was pulled out needs a moment to show it, and without any lease another
 * station could take the card from them in it.
 */
const FREE_MILLISECONDS = 30_000;
const SHORT_MILLISECONDS = 10_000;
const REMEMBERED_MILLISECONDS = 10 * 60_000;

/** @returns the time so long before `moment`, both ISO 8601 */
function before(moment: string, milliseconds: number): string {
  return new Date(Date.parse(moment) - milliseconds).toISOString();
}

function othersInHand(
  db: Queries,
  of: { readonly card: string; readonly station: string; readonly now: string },
) {
  return db
    .selectFrom('leases')
    .select(({ fn }) => fn.countAll<number>().as('others'))
    .where('station', '=', of.station)
    .where('card', '!=', of.card)
    .where('expires', '>', of.now);
}

/** What a lease is renewed to, at `now`. */
export interface Renewal {
  readonly card: string;
  readonly job: string;
  readonly station: string;
  readonly now: string;
  readonly expires: string;
}

/** The card has shown itself: the job keeps it longer. False where its lease has run out, or is another's. */
export async function renewLease(db: Queries, { job, now, expires }: Renewal): Promise<boolean> {
  const renewed = await db
    .updateTable('leases')
    .set({ expires, shown: 1 })
    .where('job', '=', job)
    .where('expires', '>', now)
    .executeTakeFirst();
  return renewed.numUpdatedRows === 1n;
}

/**
 * Takes the card again where the job's lease has run out, unless the station has `most` other cards in hand by now. The job goes on either way; without a
 * lease it keeps the card from nobody. On PostgreSQL the caller holds the row of `holdLease` too.
 */
export async function regainLease(
  db: Queries,
  { card, job, station, now, expires }: Renewal,
  most: number,
): Promise<void> {
  await db
    .updateTable('leases')
    .set({ expires, shown: 1 })
    .where('job', '=', job)
    .where((is) => is(othersInHand(db, { card, station, now }), '<', most))
    .execute();
}

/** Ends whatever lease there is on the card. */
export async function releaseCard(db: Queries, card: string): Promise<void> {
  await db.deleteFrom('leases').where('card', '=', card).execute();
}

/**
 * Ends the job's lease; one of a later job on the card stays. Where the card has not `shown` itself a note of it stays, too: the station's next
 * lease on the card is no longer than this one was.
 */
export async function endLease(
  db: Queries,
  lease: { readonly card: string; readonly job: string; readonly shown: boolean; readonly now: string },
): Promise<void> {
  const { card, job, shown, now } = lease;
  if (shown) await db.deleteFrom('leases').where('card', '=', card).where('job', '=', job).execute();
  else
    await db
      .updateTable('leases')
      .set({ expires: now })
      .where('card', '=', card)
      .where('job', '=', job)
      .where('expires', '>', now)
      .execute();
}
