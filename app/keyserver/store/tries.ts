/** Tries of cards' keys, as a supervisor gives them back. What a job spends and wins back is part of the card's state. */
import type { Queries } from './store.ts';

/** A slot whose tries were spent, or whose right key the card refused. */
export interface SpentSlot {
  readonly app: string;
  readonly slot: string;
  readonly spent: number;
  readonly refused: number;
}

export async function listSpent(db: Queries, card: string): Promise<SpentSlot[]> {
  return db
    .selectFrom('card_keys')
    .select(['app', 'slot', 'spent', 'refused'])
    .where('card', '=', card)
    .where((is) => is.or([is('spent', '>', 0), is('refused', '!=', 0)]))
    .orderBy('app')
    .orderBy('slot')
    .execute();
}

/** Writes the tries of one slot that is refused no more. */
export async function writeTries(
  db: Queries,
  card: string,
  { app, slot }: Pick<SpentSlot, 'app' | 'slot'>,
  tries: { readonly spent: number; readonly refused: 0 },
): Promise<void> {
  await db
    .updateTable('card_keys')
    .set(tries)
    .where('card', '=', card)
    .where('app', '=', app)
    .where('slot', '=', slot)
    .execute();
}
