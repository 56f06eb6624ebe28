/** Second persons' confirmations: their tokens stay here, and screens hold handles to them, each good for one wish. */
import { randomUUID } from 'node:crypto';
import { KaikaError } from '../protocol/errors.ts';
import type { Wish } from '../protocol/wire.ts';
import type { ReaderViewState } from './views.ts';

export class Confirmations {
  readonly #tokens = new Map<string, string>();

  /** Gives the handle to put into a wish's `confirmedBy`. */
  keep(token: string): string {
    const handle = randomUUID();
    this.#tokens.set(handle, token);
    return handle;
  }

  /** The wish with the token instead of its handle, which is used up. @throws KaikaError not-permitted for no handle of ours */
  spend(wish: Wish): Wish {
    if (wish.confirmedBy === undefined) return wish;
    const token = this.#tokens.get(wish.confirmedBy);
    if (token === undefined) throw new KaikaError('not-permitted', 'no such confirmation');
    this.#tokens.delete(wish.confirmedBy);
    return { ...wish, confirmedBy: token };
  }

  /** Nobody is signed in any more. */
  clear(): void {
    this.#tokens.clear();
  }
}

/**
 * What a second person confirms: the app of the card that staff see, with the money that it shows.
 * @throws KaikaError no-card, unknown-card
 */
export function deletionShown(state: ReaderViewState, app: string) {
  const look = state.kind === 'card' || state.kind === 'job' ? state.look : null;
  if (look === null) throw new KaikaError('no-card');
  if (look.identification === null) throw new KaikaError('unknown-card');
  const balance = look.apps.find((one) => one.app === app)?.balance ?? null;
  return { card: look.identification, app, balance };
}
