/** Requests per second of each station, at this instance: a bucket that refills, with room for twice a second's worth. */
import { KaikaError } from '../../protocol/errors.ts';

export class Throttle {
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Takes one request of `station`; only enrolled stations come here, so the map stays small. @throws KaikaError `server-busy` */
  take(station: string): void {
    const now = this.#now();
    const most = 2 * this.#perSecond;
    const bucket = this.#buckets.get(station) ?? { left: most, at: now };
    const left = Math.min(most, bucket.left + ((now - bucket.at) / 1000) * this.#perSecond);
    if (left < 1) throw new KaikaError('server-busy', 'this station asks too often');
    this.#buckets.set(station, { left: left - 1, at: now });
  }
}
