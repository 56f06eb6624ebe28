/** Keeps the engine's process alive, and carries requests to it and what it says back. */
import { type UtilityProcess, utilityProcess } from 'electron';
import { type ErrorCode, type ErrorDetails, KaikaError } from '../../app/protocol/errors.ts';
import type { Log } from '../../app/station/ports.ts';
import { type FromEngine, fromEngineSchema, type ToEngine } from '../engine/messages.ts';
import type { CallName } from '../ipc-schema/calls.ts';
import type { Change, EngineView, StationView } from '../ipc-schema.ts';

interface EnginePlace {
  /** The engine's program. */
  readonly program: string;
  readonly folder: string;
  readonly resources: string;
}

export interface EngineHost {
  readonly state: EngineView;
  /** @throws KaikaError the engine's refusal; internal when it ended meanwhile or is not there */
  ask(name: CallName, input: unknown): Promise<unknown>;
  /** Everything that moves, as the engine says; undefined while none runs. */
  show(): Promise<StationView | undefined>;
  /** Ends it after the batches that are running. */
  close(): Promise<void>;
}

/** Waits before the engine is started again, by how many times it has ended in a row. After a life this long they begin anew. */
const WAITS_MS = [0, 250, 1_000, 5_000];
const GOOD_LIFE_MS = 30_000;
/** How long requests wait for an engine that is being started. */
const READY_WAIT_MS = 10_000;
/** Longer than the engine waits for a running batch. Killed sooner, it would leave a card in the middle of one. */
const CLOSE_WAIT_MS = 14_000;
/**
 * Threads of the engine: each PC/SC call that waits holds one (app/station/readers/pcsc/thread-pool.ts), and with too few readers
 * would wait for each other. The number is read before any code of ours runs, so it is set in the environment.
 */
const THREADS = '32';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: KaikaError) => void;
}

export class EngineKeeper implements EngineHost {
  readonly #place: EnginePlace;
  readonly #tell: (change: Change) => void;
  readonly #log: Log;
  readonly #waiting = new Map<number, Waiting>();
  readonly #whenReady = new Set<() => void>();
  #state: EngineView = { kind: 'starting' };
  #process: UtilityProcess | undefined;
  #born = 0;
  #lives = 0;
  #lastId = 0;
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(place: EnginePlace, tell: (change: Change) => void, log: Log) {
    this.#place = place;
    this.#tell = tell;
    this.#log = log;
  }

  get state(): EngineView {
    return this.#state;
  }

  start(): void {
    const { program, folder, resources } = this.#place;
    this.#born = Date.now();
    const child = utilityProcess.fork(program, [], {
      serviceName: 'Kaika engine',
      env: { ...process.env, UV_THREADPOOL_SIZE: THREADS },
      stdio: 'inherit',
    });
    this.#process = child;
    child.on('message', (message: unknown) => {
      const heard = fromEngineSchema.safeParse(message);
      if (heard.success) this.#hear(heard.data);
      else
        this.#log('error', 'engine said nonsense', { detail: heard.error.issues[0]?.path.join('.') ?? '' });
    });
    child.once('exit', (code) => this.#onExit(child, code));
    this.#say({ do: 'open', folder, resources });
  }

  async ask(name: CallName, input: unknown): Promise<unknown> {
    await this.#ready();
    return this.#request((id) => ({ do: 'ask', id, name, input }));
  }

  async show(): Promise<StationView | undefined> {
    if (this.#state.kind !== 'running') return undefined;
    const shown = this.#request((id) => ({ do: 'show', id }));
    return shown.then(
      (station) => station as StationView,
      () => undefined,
    );
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #close(): Promise<void> {
    clearTimeout(this.#timer);
    const child = this.#process;
    if (child === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const limit = setTimeout(() => child.kill(), CLOSE_WAIT_MS);
      child.once('exit', () => {
        clearTimeout(limit);
        resolve();
      });
      this.#say({ do: 'close' });
    });
  }

  #say(message: ToEngine): void {
    this.#process?.postMessage(message);
  }

  #request(message: (id: number) => ToEngine): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#say(message(id));
    });
  }

  #hear(message: FromEngine): void {
    switch (message.say) {
      case 'running':
        this.#state = { kind: 'running' };
        this.#tell({ kind: 'station', station: message.station });
        for (const wake of [...this.#whenReady]) wake();
        break;
      case 'failed':
        this.#show({ kind: 'failed', code: message.code });
        this.#process?.kill();
        break;
      case 'change':
        this.#tell(message.change);
        break;
      case 'answer':
        this.#settle(message.id, ({ resolve }) => resolve(message.value));
        break;
      case 'station':
        this.#settle(message.id, ({ resolve }) => resolve(message.station));
        break;
      case 'refusal':
        this.#settle(message.id, ({ reject }) => reject(refusal(message.fault)));
        break;
    }
  }

  #settle(id: number, how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting !== undefined) how(waiting);
  }

  #onExit(child: UtilityProcess, code: number): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    for (const id of [...this.#waiting.keys()]) {
      this.#settle(id, ({ reject }) => reject(new KaikaError('internal', 'the engine ended')));
    }
    if (this.#closing !== undefined) return;
    this.#log('error', 'engine ended', { count: code });
    if (this.#state.kind !== 'failed') this.#show({ kind: 'away' });
    this.#lives = Date.now() - this.#born > GOOD_LIFE_MS ? 0 : this.#lives + 1;
    const wait = WAITS_MS[Math.min(this.#lives, WAITS_MS.length - 1)];
    // Why it could not be opened stays on the screen while it is tried again: somebody may have repaired the cause meanwhile.
    this.#timer = setTimeout(() => this.start(), this.#state.kind === 'failed' ? WAITS_MS.at(-1) : wait);
  }

  #show(engine: EngineView): void {
    this.#state = engine;
    this.#tell({ kind: 'engine', engine });
  }

  /** @throws KaikaError internal when none came in time, or what it failed with */
  #ready(): Promise<void> {
    if (this.#state.kind === 'running') return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(limit);
        this.#whenReady.delete(ready);
        settle();
      };
      const ready = () => done(resolve);
      const limit = setTimeout(() => {
        const code = this.#state.kind === 'failed' ? this.#state.code : 'internal';
        done(() => reject(new KaikaError(code, 'no engine')));
      }, READY_WAIT_MS);
      this.#whenReady.add(ready);
    });
  }
}

function refusal(fault: { readonly code: ErrorCode; readonly details: ErrorDetails }): KaikaError {
  return new KaikaError(fault.code, fault.code, fault.details);
}
