/** Which account a card is bound to. */
import type { Queries } from './store.ts';

/** An account, and the 8 bytes D that its keys are diversified with. */
interface AccountOfCard {
  readonly account: string;
  readonly factor: string;
}

/** The card that belongs to an account, by the 8 bytes D of its keys. */
export async function findCardOfAccount(db: Queries, factor: string): Promise<string | undefined> {
  const card = await db
    .selectFrom('cards')
    .select('id')
    .where('account_factor', '=', factor)
    .executeTakeFirst();
  return card?.id;
}

/** Binds a card that has no account. Gives false when another card has this one: both would have the same keys. */
export async function bindAccount(
  db: Queries,
  card: string,
  { account, factor }: AccountOfCard,
): Promise<boolean> {
  const other = await findCardOfAccount(db, factor);
  if (other !== undefined && other !== card) return false;
  await db
    .updateTable('cards')
    .set({ account, account_factor: factor })
    .where('id', '=', card)
    .where('account', 'is', null)
    .execute();
  return true;
}
