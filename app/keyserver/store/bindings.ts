/**
 * Which account each card is bound to: a history. An open binding (`until` is null) holds now; the database allows one of each card and one of
 * each factor, so that never two cards have the same keys.
 */
import type { Queries } from './store.ts';
import type { BindingsTable } from './tables.ts';

/** The card that belongs to an account now, by the 8 bytes D of its keys. */
export async function findCardOfAccount(db: Queries, factor: string): Promise<string | undefined> {
  const binding = await db
    .selectFrom('bindings')
    .select('card')
    .where('factor', '=', factor)
    .where('until', 'is', null)
    .executeTakeFirst();
  return binding?.card;
}

/** What a binding of a card to an account would meet. */
export interface OpenBindings {
  /** The account that the card has; null when it has none. */
  readonly account: string | null;
  /** Another card has the account's factor. */
  readonly taken: boolean;
}

/** The open bindings of a card and of a factor, of one moment. */
export async function findOpenBindings(db: Queries, card: string, factor: string): Promise<OpenBindings> {
  const rows = await db
    .selectFrom('bindings')
    .select(['card', 'account'])
    .where((is) => is.or([is('card', '=', card), is('factor', '=', factor)]))
    .where('until', 'is', null)
    .execute();
  return {
    account: rows.find((row) => row.card === card)?.account ?? null,
    taken: rows.some((row) => row.card !== card),
  };
}

/** Binds a card from now on. The database refuses it for a card that is bound, and for a factor that another card has. */
export async function insertBinding(db: Queries, binding: Omit<BindingsTable, 'until'>): Promise<void> {
  await db
    .insertInto('bindings')
    .values({ ...binding, until: null })
    .execute();
}
