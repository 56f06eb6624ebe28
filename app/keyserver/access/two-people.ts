/**
 * Decisions at the server's own terminal that one person must not take alone: whoever typed the command names the operator who answers for
 * it, and another one proves with their secret that they agree. Which operators may do this for each other is asked here, once there are roles.
 */
import { KaikaError } from '../../protocol/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import type { Store } from '../store/open.ts';
import { requireOperator } from './operators.ts';
import { checkSecret } from './sessions.ts';

export interface TwoPeople {
  /** Who answers for it. */
  readonly operator: string;
  /** Who agrees. */
  readonly second: string;
  /** The second one's secret, as typed. */
  readonly secret: string;
}

/** Wrong secrets are counted as at a station of this name; no station can be called so. */
const TERMINAL = '/terminal';

/** @throws KaikaError `not-permitted` for one person under two names, or one who may not sign in; `sign-in-failed`, `too-many-attempts` for the secret */
export async function requireTwoPeople(
  store: Store,
  { operator, second, secret }: TwoPeople,
  now: Date,
  limits: Limits = DEFAULT_LIMITS,
): Promise<void> {
  if (operator === second) throw new KaikaError('not-permitted', 'the second person has to be somebody else');
  await requireOperator(store, operator);
  await checkSecret(store, TERMINAL, { operator: second, secret }, now, limits);
}
