/** A purse with money in it is deleted only when a second person confirms it, with a token that is good for nothing else. */
import { KaikaError } from '../../protocol/errors.ts';
import type { Wish } from '../../protocol/wire.ts';
import { Authority } from '../access/authority.ts';
import type { JobContext, OperatorCaller } from './context.ts';

/** The purses whose deletion is confirmed. @throws KaikaError `not-permitted` for one's own, another station's or an invalid token. */
export async function confirmedPurses(
  context: JobContext,
  caller: OperatorCaller,
  wishes: readonly Wish[],
): Promise<string[]> {
  const authority = new Authority(context);
  const confirmed: string[] = [];
  for (const wish of wishes) {
    if (wish.action !== 'delete' || wish.confirmedBy === undefined) continue;
    if (!(await authority.isSecondPerson(caller, wish.confirmedBy)))
      throw new KaikaError('not-permitted', 'a second person has to confirm', { app: wish.app });
    confirmed.push(wish.app);
  }
  return confirmed;
}
