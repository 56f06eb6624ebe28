/** Who answers for letting people and stations in and out, and when it takes two. */
import { KaikaError } from '../../protocol/errors.ts';
import { holdPeople, listOperators } from '../store/people.ts';
import type { Queries } from '../store/store.ts';
import { hasRight, type Right } from './rights.ts';
import { requireRight } from './terminal.ts';

export interface Mandate {
  /** Who answers for it. */
  readonly by: string;
  /** Who agreed. */
  readonly second?: string;
  readonly reason?: string;
}

/**
 * First of all in the transaction that does it: from here on no other one changes people or stations, so what is asked here stays so. `needs`: two
 * people, unless the site has only one with the right, shut out or not. `whom`: to whom it is done; they neither do it nor agree to it.
 * @throws KaikaError `not-permitted`
 */
export async function requireMandate(
  db: Queries,
  { by, second }: Mandate,
  right: Right,
  { needs, whom, now }: { readonly needs: 'one' | 'two'; readonly whom?: string; readonly now: Date },
): Promise<void> {
  await holdPeople(db, now);
  await requireRight(db, by, right);
  if (whom !== undefined && (by === whom || second === whom))
    throw new KaikaError('not-permitted', `${whom} has to leave this to others`);
  if (second !== undefined) {
    if (second === by) throw new KaikaError('not-permitted', 'the second person has to be somebody else');
    await requireRight(db, second, right);
    return;
  }
  const holders = (await listOperators(db)).filter(({ role }) => hasRight(role, right));
  if (needs === 'two' && holders.length > 1)
    throw new KaikaError('not-permitted', 'this takes another site admin who agrees: --second ID');
}

/** As the audit has it, beside what was done. */
export function told({ second, reason }: Mandate): object {
  return { ...(second === undefined ? {} : { second }), ...(reason === undefined ? {} : { reason }) };
}
