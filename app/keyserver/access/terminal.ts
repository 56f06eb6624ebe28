/** Who may decide something at the server's own terminal: they prove who they are by their secret, and their role has to allow it. */
import { KaikaError } from '../../protocol/errors.ts';
import type { Limits } from '../limits.ts';
import { findOperator, type Person } from '../store/people.ts';
import type { Reads, Store } from '../store/store.ts';
import { hasRight, type Right } from './rights.ts';
import { checkSecret } from './sessions.ts';
import { TERMINAL } from './sign-in-tries.ts';

/**
 * Asked once more where something is decided, in its transaction: a role may have been taken away meanwhile.
 * @throws KaikaError `not-permitted` for somebody who may not do it, or not sign in at all
 */
export async function requireRight(db: Reads, operator: string, right: Right): Promise<Person> {
  const person = await findOperator(db, operator);
  if (person === undefined || person.disabled)
    throw new KaikaError('not-permitted', `there is no operator ${operator}`);
  if (!hasRight(person.role, right))
    throw new KaikaError('not-permitted', `${operator} may not do this: their role is ${person.role}`);
  return person;
}

/**
 * Somebody signs in at the terminal for one command.
 * @throws KaikaError as `checkSecret` and `requireRight`; `secret-change-needed` for a secret that somebody else made
 */
export async function proveAtTerminal(
  store: Store,
  typed: { readonly operator: string; readonly secret: string },
  right: Right,
  now: Date,
  limits?: Limits,
): Promise<void> {
  const { secretUntil } = await checkSecret(store, TERMINAL, typed, now, limits);
  if (secretUntil !== null)
    throw new KaikaError('secret-change-needed', 'first choose a secret of your own: operator own-secret');
  await requireRight(store, typed.operator, right);
}
