/** When two requests for one card come at once, the first to commit wins; the other reads the card again and decides anew. */
import { KaikaError } from '../../protocol/errors.ts';

/** Another request, here or on another instance, was there in between: read again and decide anew. */
export class Overtaken extends Error {
  constructor() {
    super('another request was there first');
    this.name = 'Overtaken';
  }
}

const MOST_TURNS = 5;

/** Repeats `decide` while it is overtaken. @throws what it throws; KaikaError `server-busy` when it never gets its turn */
export async function untilNotOvertaken<T>(decide: () => Promise<T>): Promise<T> {
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    try {
      return await decide();
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
    }
  }
  throw new KaikaError('server-busy', 'others were first again and again');
}
