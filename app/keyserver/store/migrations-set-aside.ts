/** Why a card is set aside was a sentence; now it is a code. */
import type { Kysely } from 'kysely';
import { codeOfSentence } from '../issuer/set-aside-stored.ts';
import type { Queries } from './store.ts';
import type { Database } from './tables.ts';

export async function setAsideCodes(db: Kysely<Database>): Promise<void> {
  await codeSetAside(db);
}

/** Turns the sentences of an older program into codes; codes stay as they are. Few cards are set aside, so one by one. */
export async function codeSetAside(db: Queries): Promise<void> {
  const rows = await db
    .selectFrom('cards')
    .select(['id', 'set_aside'])
    .where('set_aside', 'is not', null)
    .where('set_aside', 'not like', '{%')
    .execute();
  for (const { id, set_aside } of rows)
    await db
      .updateTable('cards')
      .set({ set_aside: JSON.stringify(codeOfSentence(set_aside ?? '')) })
      .where('id', '=', id)
      .execute();
}
