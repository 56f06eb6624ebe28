/** Who may answer for a decision at the server's own terminal. A role would be checked here. */
import { KaikaError } from '../../protocol/errors.ts';
import { maySignIn } from '../store/people.ts';
import type { Queries } from '../store/store.ts';

/** @throws KaikaError `not-permitted` for somebody who may not sign in */
export async function requireOperator(db: Queries, operator: string): Promise<void> {
  if (!(await maySignIn(db, operator)))
    throw new KaikaError('not-permitted', `there is no operator ${operator}`);
}
