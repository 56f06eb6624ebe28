/**
 * Decisions at the server's own terminal that one person must not take alone: whoever answers for it has signed in for the command, and another one
 * proves with their secret that they agree. Both need the right.
 */
import { KaikaError } from '../../protocol/errors.ts';
import type { Limits } from '../limits.ts';
import type { Store } from '../store/open.ts';
import type { Right } from './rights.ts';
import { proveAtTerminal, requireRight } from './terminal.ts';

export interface TwoPeople {
  /** Who answers for it. */
  readonly operator: string;
  /** Who agrees. */
  readonly second: string;
  /** The second one's secret, as typed. */
  readonly secret: string;
}

/** @throws KaikaError `not-permitted` for one person under two names, or one who may not do this; as `proveAtTerminal` for the second one */
export async function requireTwoPeople(
  store: Store,
  { operator, second, secret }: TwoPeople,
  right: Right,
  now: Date,
  limits?: Limits,
): Promise<void> {
  if (operator === second) throw new KaikaError('not-permitted', 'the second person has to be somebody else');
  await requireRight(store, operator, right);
  await proveAtTerminal(store, { operator: second, secret }, right, now, limits);
}
