/** A piece of work that this instance does for one station at a time. */
import { KaikaError } from '../../protocol/errors.ts';

export class OneAtATime {
  #busy = false;

  /** @throws KaikaError `server-busy` with `sentence` while the work is done for somebody else */
  async run<T>(sentence: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new KaikaError('server-busy', sentence);
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }
}
