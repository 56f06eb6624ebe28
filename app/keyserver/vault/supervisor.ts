/** Keeps one vault process running: starts it again when it dies, and replaces it in time when it has grown. */
import { tokenConfigOf, type VaultTokenConfig } from './config.ts';
import { VaultError } from './error.ts';
import { type Opened, openedSchema } from './messages.ts';
import { unwrap, VaultChild } from './vault-child.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** A process that lived this long was healthy: its end does not count as one in a row. */
const HEALTHY_MS = 10_000;

/** Between two fruitless attempts to replace a process that still serves. */
const REPLACE_PAUSE_MS = 60_000;
/** So that a bound below what a fresh process needs does not replace one after the other. */
const FEWEST_CALLS = 100;

/** What happens to vault processes, for the log. */
export type VaultEvent =
  | { readonly kind: 'started'; readonly pid: number | undefined; readonly token: string }
  | { readonly kind: 'ended'; readonly pid: number | undefined; readonly reason: string }
  | { readonly kind: 'start-failed'; readonly reason: string; readonly nextMs: number }
  | { readonly kind: 'replaced'; readonly pid: number | undefined; readonly by: number | undefined };

/** When to start, and when to replace. */
export interface SupervisorConfig extends VaultTokenConfig {
  /** The module that the process runs. */
  readonly entry: URL;
  /** A process must have answered its configuration within this time. */
  readonly startTimeoutMs: number;
  /** Replace it after this many calls: each derived and destroyed key leaves some 250 bytes in SoftHSM. */
  readonly recycleCalls: number;
  /** Replace it when its resident memory is above this, in bytes. */
  readonly recycleRss: number;
  readonly onEvent: (event: VaultEvent) => void;
}

/** Whoever has calls to send. */
export interface Customer {
  /** `child` is there: send. */
  ready(): void;
  /** There will be none for a while: what waits must be told so. */
  away(error: VaultError): void;
}

interface Running {
  readonly child: VaultChild;
  readonly opened: Opened;
  readonly since: number;
}

/** A fruitless start is not repeated for every call, and a process killed by what it loads does not spin. */
export class Supervisor {
  readonly #config: SupervisorConfig;
  readonly #customer: Customer;
  readonly #leaving = new Set<VaultChild>();
  #running: Running | undefined;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #replacing = false;
  #replaceAfter = 0;
  #closed = false;

  constructor(config: SupervisorConfig, customer: Customer) {
    this.#config = config;
    this.#customer = customer;
  }

  /** The process to send to. */
  get child(): VaultChild | undefined {
    return this.#running?.child;
  }

  /** Whether a start has just failed and the next one is not due yet. */
  get pausing(): boolean {
    return this.#timer !== undefined;
  }

  /**
   * First start.
   * @throws VaultError `refused` when the token does not accept the PIN, or is a demonstration's; `hsm-away` when no process starts
   */
  async start(): Promise<void> {
    const running = await this.#launch();
    if (running.opened.token === 'pin-refused' || running.opened.token === 'demo-refused') {
      await running.child.end();
      throw new VaultError('refused', running.opened.message);
    }
    this.#adopt(running);
  }

  /** To be called after each answer of `child`. */
  answered(child: VaultChild): void {
    this.#failures = 0;
    const { recycleCalls, recycleRss } = this.#config;
    const grown = child.sent >= recycleCalls || (child.sent >= FEWEST_CALLS && child.rss > recycleRss);
    const due = !this.#replacing && performance.now() >= this.#replaceAfter;
    if (grown && due && child === this.child) void this.#replace(child);
    if (this.#leaving.has(child) && child.inFlight === 0) void child.end();
  }

  /** Ends every process. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const last = this.#running?.child;
    this.#running = undefined;
    await Promise.all([...this.#leaving, ...(last === undefined ? [] : [last])].map((child) => child.end()));
  }

  async #launch(): Promise<Running> {
    const { pin, startTimeoutMs } = this.#config;
    const child = new VaultChild(this.#config.entry, this.#config, 'pinEnv' in pin ? pin.pinEnv : undefined);
    this.#leaving.add(child);
    void child.exited.then(() => this.#leaving.delete(child));
    const timer = setTimeout(() => child.kill(), startTimeoutMs);
    try {
      const reply = await child.ask({ op: 'configure', config: tokenConfigOf(this.#config) });
      if (this.#closed) throw new VaultError('hsm-away', 'the vault is closed');
      const opened = openedSchema.parse(unwrap(reply));
      this.#config.onEvent({ kind: 'started', pid: child.pid, token: opened.token });
      return { child, opened, since: performance.now() };
    } catch (error) {
      child.kill();
      throw error instanceof VaultError
        ? error
        : new VaultError('hsm-away', 'the vault process does not start');
    } finally {
      clearTimeout(timer);
    }
  }

  #adopt(running: Running): void {
    const { child } = running;
    this.#leaving.delete(child);
    this.#running = running;
    void child.exited.then((reason) => this.#gone(running, reason));
    this.#customer.ready();
  }

  #gone(running: Running, reason: string): void {
    if (this.#closed || this.#running !== running) return;
    this.#config.onEvent({ kind: 'ended', pid: running.child.pid, reason });
    this.#running = undefined;
    if (performance.now() - running.since > HEALTHY_MS) this.#failures = 0;
    this.#again(new VaultError('hsm-away', `the vault process ended (${reason})`));
  }

  /** At once after the first failure, then with a pause that doubles. Never gives up: the token may come back. */
  #again(error: VaultError): void {
    if (this.#closed) return;
    const pause = this.#failures === 0 ? 0 : FIRST_PAUSE_MS * 2 ** Math.min(this.#failures - 1, 16);
    const nextMs = Math.min(pause, LONGEST_PAUSE_MS);
    this.#failures += 1;
    if (nextMs === 0) {
      void this.#restart();
      return;
    }
    this.#config.onEvent({ kind: 'start-failed', reason: error.message, nextMs });
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#restart();
    }, nextMs);
    this.#customer.away(error);
  }

  async #restart(): Promise<void> {
    try {
      this.#adopt(await this.#launch());
    } catch (error) {
      if (error instanceof VaultError) this.#again(error);
    }
  }

  /** The new process is ready before the old one gets no more calls; the old one ends when it has answered all. */
  async #replace(old: VaultChild): Promise<void> {
    this.#replacing = true;
    try {
      const running = await this.#launch();
      if (this.child !== old) {
        // It died meanwhile, and its successor is on the way already.
        await running.child.end();
        return;
      }
      if (running.opened.token !== 'open') {
        await this.#keep(old, running);
        return;
      }
      this.#leaving.add(old);
      void old.exited.then(() => this.#leaving.delete(old));
      this.#adopt(running);
      this.#config.onEvent({ kind: 'replaced', pid: old.pid, by: running.child.pid });
      if (old.inFlight === 0) await old.end();
    } catch {
      this.#replaceAfter = performance.now() + REPLACE_PAUSE_MS;
    } finally {
      this.#replacing = false;
    }
  }

  /** The old process still serves, the new one could not: a PIN that is refused is not tried again, because tokens lock. */
  async #keep(old: VaultChild, { child, opened }: Running): Promise<void> {
    const nextMs = opened.token === 'pin-refused' ? Number.POSITIVE_INFINITY : REPLACE_PAUSE_MS;
    this.#replaceAfter = performance.now() + nextMs;
    void old.exited.then(() => {
      this.#replaceAfter = 0;
    });
    this.#config.onEvent({ kind: 'start-failed', reason: opened.message, nextMs });
    await child.end();
  }
}
