/** Keeps one vault process running: does what supervisor-machine.ts decides. */
import { tokenConfigOf, type VaultTokenConfig } from './config.ts';
import { VaultError } from './error.ts';
import { type Opened, openedSchema } from './messages.ts';
import {
  type GrowthLimits,
  type SupervisorEffect,
  type SupervisorEvent,
  type SupervisorState,
  serving,
  supervise,
  type VaultEvent,
  type VaultProcess,
} from './supervisor-machine.ts';
import { unwrap, VaultChild } from './vault-child.ts';

/** Which process to start, how long that may take, and when to replace it. */
export interface SupervisorConfig extends VaultTokenConfig, GrowthLimits {
  /** The module that the process runs. */
  readonly entry: URL;
  /** A process must have answered its configuration within this time. */
  readonly startTimeoutMs: number;
  readonly onEvent: (event: VaultEvent) => void;
}

/** Whoever has calls to send. */
interface Customer {
  /** `child` is there: send. */
  ready(): void;
  /** There will be none for a while: what waits must be told so. */
  away(error: VaultError): void;
}

/** A process and its channel. */
interface Running extends VaultProcess {
  readonly child: VaultChild;
}

/** Runs vault processes, one after the other. */
export class Supervisor {
  readonly #config: SupervisorConfig;
  readonly #customer: Customer;
  readonly #running = new Map<number, Running>();
  readonly #dismissed = new Set<VaultChild>();
  #state: SupervisorState = { phase: 'starting', failures: 0 };
  #timer: NodeJS.Timeout | undefined;
  #nextId = 0;

  constructor(config: SupervisorConfig, customer: Customer) {
    this.#config = config;
    this.#customer = customer;
  }

  /** The process to send to. */
  get child(): VaultChild | undefined {
    return this.#state.phase === 'serving' ? this.#running.get(this.#state.process.id)?.child : undefined;
  }

  /** Whether a start has just failed and the next one is not due yet. */
  get pausing(): boolean {
    return this.#state.phase === 'pausing';
  }

  /**
   * First start.
   * @throws VaultError `refused` when the token does not accept the PIN, or is a demonstration's; `hsm-away` when no process starts
   */
  async start(): Promise<void> {
    const { process, opened } = await this.#launch();
    if (opened.token === 'pin-refused' || opened.token === 'demo-refused') {
      await process.child.end();
      throw new VaultError('refused', opened.message);
    }
    this.#state = serving(process, performance.now());
    this.#customer.ready();
  }

  /** To be called after each answer of `child`. */
  answered(child: VaultChild): void {
    if (this.#dismissed.has(child)) {
      if (child.inFlight === 0) void child.end();
      return;
    }
    const process = [...this.#running.values()].find((one) => one.child === child);
    if (process === undefined) return;
    this.#take({ kind: 'answered', process, calls: child.sent, rss: child.rss, at: performance.now() });
  }

  /** Ends every process. */
  async close(): Promise<void> {
    this.#take({ kind: 'close' });
    clearTimeout(this.#timer);
    await Promise.all([...this.#running.values()].map(({ child }) => child.end()));
  }

  #take(event: SupervisorEvent): void {
    const { state, effects } = supervise(this.#state, event, this.#config);
    this.#state = state;
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: SupervisorEffect): void {
    switch (effect.kind) {
      case 'launch':
        void this.#next();
        break;
      case 'pause':
        this.#timer = setTimeout(() => this.#take({ kind: 'pause-over' }), effect.ms);
        break;
      case 'dismiss':
        this.#dismiss(effect.process);
        break;
      case 'ready':
        this.#customer.ready();
        break;
      case 'away':
        this.#customer.away(effect.error);
        break;
      case 'tell':
        this.#config.onEvent(effect.event);
        break;
    }
  }

  #dismiss({ id }: VaultProcess): void {
    const child = this.#running.get(id)?.child;
    if (child === undefined) return;
    this.#dismissed.add(child);
    if (child.inFlight === 0) void child.end();
  }

  async #next(): Promise<void> {
    try {
      const { process, opened } = await this.#launch();
      this.#take({ kind: 'opened', process, opened, at: performance.now() });
    } catch (error) {
      if (error instanceof VaultError) this.#take({ kind: 'start-failed', error, at: performance.now() });
    }
  }

  async #launch(): Promise<{ readonly process: Running; readonly opened: Opened }> {
    const { entry, pin, startTimeoutMs } = this.#config;
    const child = new VaultChild(entry, this.#config, 'pinEnv' in pin ? pin.pinEnv : undefined);
    const process = { id: this.#nextId, pid: child.pid, child };
    this.#nextId += 1;
    this.#running.set(process.id, process);
    void child.exited.then((reason) => this.#gone(process, reason));
    const timer = setTimeout(() => child.kill(), startTimeoutMs);
    try {
      const reply = await child.ask({ op: 'configure', config: tokenConfigOf(this.#config) });
      if (this.#state.phase === 'closed') throw new VaultError('hsm-away', 'the vault is closed');
      const opened = openedSchema.parse(unwrap(reply));
      this.#config.onEvent({ kind: 'started', pid: child.pid, token: opened.token });
      return { process, opened };
    } catch (error) {
      child.kill();
      throw error instanceof VaultError
        ? error
        : new VaultError('hsm-away', 'the vault process does not start');
    } finally {
      clearTimeout(timer);
    }
  }

  #gone(process: Running, reason: string): void {
    this.#running.delete(process.id);
    this.#dismissed.delete(process.child);
    this.#take({ kind: 'ended', process, reason, at: performance.now() });
  }
}
