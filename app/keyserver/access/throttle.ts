/** How often somebody may do something, at this instance: a bucket each that refills, with room for twice a second's worth. */
import { KaikaError } from '../../protocol/errors.ts';

/** Buckets that are kept. Whoever did nothing for the longest time is forgotten first, and begins with a full bucket again. */
const MOST_KEPT = 10_000;

interface Bucket {
  readonly left: number;
  readonly at: number;
}

export class Throttle {
  readonly #perSecond: number;
  readonly #now: () => number;
  /** In the order in which they were last used. */
  readonly #buckets = new Map<string, Bucket>();

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Whether there is something left for `who`. Takes nothing. */
  allows(who: string): boolean {
    return this.#left(who) >= 1;
  }

  /** Takes `weight` of what `who` has left, also when less is left: what was heavy is paid for afterwards. */
  spend(who: string, weight = 1): void {
    const left = this.#left(who) - weight;
    this.#buckets.delete(who);
    this.#buckets.set(who, { left: Math.max(left, -2 * this.#perSecond), at: this.#now() });
    if (this.#buckets.size > MOST_KEPT)
      for (const eldest of this.#buckets.keys()) {
        this.#buckets.delete(eldest);
        break;
      }
  }

  /** One more of `who`. @throws KaikaError `server-busy` when nothing is left, and takes nothing then */
  take(who: string, weight = 1): void {
    if (!this.allows(who)) throw new KaikaError('server-busy', 'this station asks too often');
    this.spend(who, weight);
  }

  #left(who: string): number {
    const most = 2 * this.#perSecond;
    const bucket = this.#buckets.get(who);
    if (bucket === undefined) return most;
    return Math.min(most, bucket.left + ((this.#now() - bucket.at) / 1000) * this.#perSecond);
  }
}
