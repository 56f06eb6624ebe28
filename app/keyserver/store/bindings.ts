/**
 * Which account each card is bound to: a history. An open binding (`until` is null) holds now; the database allows one of each card and one of
 * each factor, so that never two cards have the same keys. One that is only reserved (`reserved_until`) holds until then.
 */
import type { Queries } from './store.ts';
import type { BindingsTable } from './tables.ts';

/** A binding that has not ended. */
export interface OpenBinding {
  readonly card: string;
  readonly account: string;
  readonly factor: string;
  /** Null for a card that has its account for good. */
  readonly reservedUntil: string | null;
  /** That keeps it, or began to; null where an older version kept no note of it. */
  readonly job: string | null;
}

/** Whether it keeps others from the account: a reservation that has run out does not. `now`: ISO 8601. */
export function holds({ reservedUntil }: Pick<OpenBinding, 'reservedUntil'>, now: string): boolean {
  return reservedUntil === null || reservedUntil > now;
}

/** The binding of an account now, by the 8 bytes D of its keys. */
export async function findBindingOf(db: Queries, factor: string): Promise<OpenBinding | undefined> {
  return open(db).where('factor', '=', factor).executeTakeFirst();
}

/** What a binding of a card to an account would meet. */
export interface OpenBindings {
  /** The card's; undefined when it has no account. */
  readonly own: OpenBinding | undefined;
  /** Another card's, to an account with the same factor. */
  readonly other: OpenBinding | undefined;
}

/** The open bindings of a card and of a factor, of one moment. */
export async function findOpenBindings(db: Queries, card: string, factor: string): Promise<OpenBindings> {
  const rows = await open(db)
    .where((is) => is.or([is('card', '=', card), is('factor', '=', factor)]))
    .execute();
  return {
    own: rows.find((row) => row.card === card),
    other: rows.find((row) => row.card !== card),
  };
}

function open(db: Queries) {
  return db
    .selectFrom('bindings')
    .select(['card', 'account', 'factor', 'reserved_until as reservedUntil', 'job'])
    .where('until', 'is', null);
}

/** Binds a card from now on. The database refuses it for a card that is bound, and for a factor that another card has. */
export async function insertBinding(db: Queries, binding: Omit<BindingsTable, 'until'>): Promise<void> {
  await db
    .insertInto('bindings')
    .values({ ...binding, until: null })
    .execute();
}

/** Keeps the card's account for it until another time; for good with null. With `job` it is this one's from now on. Gives false when the card has none. */
export async function keepBinding(
  db: Queries,
  card: string,
  reservedUntil: string | null,
  job?: string,
): Promise<boolean> {
  const kept = await db
    .updateTable('bindings')
    .set({ reserved_until: reservedUntil, ...(job === undefined ? {} : { job }) })
    .where('card', '=', card)
    .where('until', 'is', null)
    .executeTakeFirst();
  return kept.numUpdatedRows === 1n;
}

/** Ends a binding that is still as it was read; it stays on record. Gives false when it is not. */
export async function endBinding(db: Queries, binding: OpenBinding, at: string): Promise<boolean> {
  const ended = await db
    .updateTable('bindings')
    .set({ until: at })
    .where('card', '=', binding.card)
    .where('until', 'is', null)
    .where('reserved_until', 'is not distinct from', binding.reservedUntil)
    .executeTakeFirst();
  return ended.numUpdatedRows === 1n;
}

/** Ends what is only kept for the card, since this job. */
export async function endReservation(db: Queries, card: string, job: string, at: string): Promise<void> {
  await db
    .updateTable('bindings')
    .set({ until: at })
    .where('card', '=', card)
    .where('until', 'is', null)
    .where('reserved_until', 'is not', null)
    .where('job', '=', job)
    .execute();
}
