/** The server as seen from the jobs: whether it is there, and asking again until it answers. */
import { type ErrorCode, KaikaError } from '../../protocol/errors.ts';
import type { Clock } from '../ports.ts';
import type { ServerView } from '../views.ts';
import { RefusedError } from './client.ts';
import { CLOCK_TOLERANCE_MS } from './tls-faults.ts';

/**
 * First and longest wait between two attempts, in milliseconds; the longest, with the time-outs for connecting and
 * answering, keeps the server in agreement within 30 s of its return.
 */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

interface AskOptions {
  readonly signal: AbortSignal;
  /** Whether asking again could help; otherwise the error is the caller's. */
  readonly retry: (error: KaikaError) => boolean;
  /** Told of each attempt that failed and will be repeated. */
  readonly onWait?: (code: ErrorCode) => void;
  /** No attempt begins later than this after the first, in milliseconds. */
  readonly limitMs?: number;
}

export class ServerLine {
  readonly #clock: Clock;
  readonly #onChange: (view: ServerView) => void;
  readonly #random: () => number;
  #view: ServerView = { state: 'unknown' };
  /** Who waits, and whether the server had answered them "not now". */
  readonly #waiters = new Map<() => void, { answered: boolean }>();

  constructor(clock: Clock, onChange: (view: ServerView) => void, random: () => number = Math.random) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#random = random;
  }

  get view(): ServerView {
    return this.#view;
  }

  /** One attempt; what it shows of the server is noted. */
  async once<T>(send: () => Promise<T>): Promise<T> {
    try {
      const value = await send();
      this.#up();
      return value;
    } catch (error) {
      if (error instanceof RefusedError) this.#up();
      else if (error instanceof KaikaError) this.#away(error.code);
      throw error;
    }
  }

  /**
   * Sends the same request until it is answered, with growing waits and jitter. A wait ends early when any other request
   * gets through, or on `wake`.
   * @throws KaikaError the last failure, when retrying is pointless, the limit has passed or `signal` aborted.
   */
  async ask<T>(send: (signal: AbortSignal) => Promise<T>, options: AskOptions): Promise<T> {
    const started = this.#clock.monotonic();
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      try {
        return await this.once(() => send(options.signal));
      } catch (error) {
        if (!(error instanceof KaikaError) || options.signal.aborted || !options.retry(error)) throw error;
        const pause = wait * (0.5 + this.#random() / 2);
        const spent = this.#clock.monotonic() - started;
        // No limit while the session is over: how long a person takes to sign in again is their own affair.
        const timed = options.limitMs !== undefined && error.code !== 'session-expired';
        if (timed && spent + pause > (options.limitMs ?? 0)) throw error;
        options.onWait?.(error.code);
        await this.#pause(pause, options.signal, error instanceof RefusedError);
        if (options.signal.aborted || !options.retry(error)) throw error;
      }
    }
  }

  /** Lets everyone who waits try at once: after a sign-in, say. */
  wake(): void {
    for (const waiter of [...this.#waiters.keys()]) waiter();
  }

  /** The time of a verified server's answer. */
  heardTime(aheadMs: number): void {
    const { clockAheadMs: _, ...rest } = this.#view;
    const off = Math.abs(aheadMs) > CLOCK_TOLERANCE_MS;
    if (off === (this.#view.clockAheadMs !== undefined)) return;
    this.#set(off ? { ...rest, clockAheadMs: aheadMs } : rest);
  }

  async #pause(ms: number, signal: AbortSignal, answered: boolean): Promise<void> {
    const stop = new AbortController();
    const end = () => stop.abort();
    signal.addEventListener('abort', end, { once: true });
    this.#waiters.set(end, { answered });
    try {
      await this.#clock.sleep(ms, stop.signal);
    } finally {
      signal.removeEventListener('abort', end);
      this.#waiters.delete(end);
    }
  }

  #up(): void {
    const wasAway = this.#view.state !== 'up';
    const { code: _, ...rest } = this.#view;
    this.#view = { ...rest, state: 'up', lastSeen: new Date(this.#clock.now()).toISOString() };
    if (!wasAway) return;
    this.#onChange(this.#view);
    // A server that answered "not now" is not asked again just because it answered somebody else.
    for (const [waiter, { answered }] of [...this.#waiters]) if (!answered) waiter();
  }

  #away(code: ErrorCode): void {
    if (this.#view.state === 'away' && this.#view.code === code) return;
    this.#set({ ...this.#view, state: 'away', code });
  }

  #set(view: ServerView): void {
    this.#view = view;
    this.#onChange(view);
  }
}
