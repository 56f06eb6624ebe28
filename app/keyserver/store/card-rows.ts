/** The row of a card: what it is, whose it is now, and how often jobs have begun on it. What is known of its apps is in cards.ts. */
import type { SetAside } from '../../protocol/set-aside.ts';
import type { Queries, Reads } from './store.ts';
import type { CardsTable } from './tables.ts';

/** A card's row, with the account that it has, or that is kept for it; null while there is none. */
export interface CardRow extends CardsTable {
  readonly account: string | null;
  readonly factor: string | null;
  /** As in `bindings`. */
  readonly reserved_until: string | null;
  /** The job that keeps it. */
  readonly kept_by: string | null;
}

/** The account that the card has. One that is only kept for it, while a job is under way, is not its own. */
export function ownAccount(row: CardRow | undefined): string | null {
  return row === undefined || row.reserved_until !== null ? null : row.account;
}

/** Row and account in one statement, so that they are of one moment. */
function cardRows(db: Reads) {
  return db
    .selectFrom('cards')
    .leftJoin('bindings', (join) =>
      join.onRef('bindings.card', '=', 'cards.id').on('bindings.until', 'is', null),
    )
    .selectAll('cards')
    .select(['bindings.account', 'bindings.factor', 'bindings.reserved_until', 'bindings.job as kept_by']);
}

export async function findCard(db: Reads, card: string): Promise<CardRow | undefined> {
  return cardRows(db).where('cards.id', '=', card).executeTakeFirst();
}

export async function listCards(db: Reads, cards: readonly string[]): Promise<CardRow[]> {
  return cardRows(db).where('cards.id', 'in', cards).execute();
}

/** A card as it is first written. */
type NewCard = Pick<CardsTable, 'id' | 'card_type' | 'generation' | 'first_seen' | 'store_generation'>;

/** Writes a card that is not there. Gives false when it is. */
export async function insertCard(db: Queries, card: NewCard): Promise<boolean> {
  const inserted = await db
    .insertInto('cards')
    .values({ ...card, set_aside: null })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows !== 0n;
}

/**
 * Writes the card's row before anything is read of it, which locks it for this transaction: read first, and another transaction could change
 * what was read. Makes the row where there is none.
 */
export async function holdOrInsertCard(db: Queries, card: NewCard): Promise<CardRow> {
  await db
    .insertInto('cards')
    .values({ ...card, set_aside: null })
    .onConflict((conflict) => conflict.column('id').doUpdateSet((set) => ({ id: set.ref('excluded.id') })))
    .execute();
  const row = await findCard(db, card.id);
  if (row === undefined) throw new Error('the card was not written');
  return row;
}

/**
 * Writes the row as it is, if it still has this generation: compared by writing, because a transaction that begins by reading could not become
 * a writer behind another instance's back. Gives false when another job has begun on the card.
 */
export async function holdCard(db: Queries, card: string, generation: number): Promise<boolean> {
  const held = await db
    .updateTable('cards')
    .set({ generation })
    .where('id', '=', card)
    .where('generation', '=', generation)
    .executeTakeFirst();
  return held.numUpdatedRows === 1n;
}

/** Generations of the card and of the store: together they tell which of two pieces of knowledge is the newer one. */
interface Generations {
  readonly generation: number;
  readonly storeGeneration: number;
}

/**
 * Begins a generation of a card whose row is still as `row`, and which is of this type from now on. Gives false when it is not. Its binding stands
 * elsewhere: compare it after this.
 */
export async function beginGeneration(
  db: Queries,
  row: CardsTable,
  to: Generations & { readonly cardType: string },
): Promise<boolean> {
  const raised = await db
    .updateTable('cards')
    .set({
      generation: to.generation,
      store_generation: String(to.storeGeneration),
      card_type: to.cardType,
    })
    .where('id', '=', row.id)
    .where('generation', '=', row.generation)
    .where('set_aside', 'is not distinct from', row.set_aside)
    .executeTakeFirst();
  return raised.numUpdatedRows === 1n;
}

/** Begins the next generation of a card, whatever it is. Gives false for a card that was never seen. */
export async function raiseGeneration(db: Queries, card: string, storeGeneration: number): Promise<boolean> {
  const raised = await db
    .updateTable('cards')
    .set((set) => ({ generation: set('generation', '+', 1), store_generation: String(storeGeneration) }))
    .where('id', '=', card)
    .executeTakeFirst();
  return raised.numUpdatedRows === 1n;
}

export async function writeGenerations(db: Queries, card: string, to: Generations): Promise<void> {
  await db
    .updateTable('cards')
    .set({ generation: to.generation, store_generation: String(to.storeGeneration) })
    .where('id', '=', card)
    .execute();
}

/** Writes of which type the card is. */
export async function writeCardType(db: Queries, card: string, type: string): Promise<void> {
  await db.updateTable('cards').set({ card_type: type }).where('id', '=', card).execute();
}

/** Sets a card aside, or takes it back. */
export async function writeSetAside(db: Queries, card: string, reason: SetAside | null): Promise<void> {
  await db
    .updateTable('cards')
    .set({ set_aside: reason === null ? null : JSON.stringify(reason) })
    .where('id', '=', card)
    .execute();
}
