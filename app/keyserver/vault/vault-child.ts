/** One vault process, seen from the server: started, asked, ended. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { VaultTokenConfig } from './config.ts';
import { VaultError } from './error.ts';
import { type Reply, replySchema } from './messages.ts';

/**
 * What a vault process inherits of the server's environment. Nothing else, because the rest may hold secrets. The last one is the folder in which
 * Node keeps compiled code; only tests set it, which start this process some hundred times.
 */
const INHERITED = [
  'PATH',
  'HOME',
  'LANG',
  'TZ',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'SystemRoot',
  'TEMP',
  'TMP',
  'NODE_COMPILE_CACHE',
];
const END_GRACE_MS = 2_000;

function environment(config: Pick<VaultTokenConfig, 'softhsmConf' | 'environment'>, pinEnv?: string) {
  const env: Record<string, string> = {};
  for (const name of pinEnv === undefined ? INHERITED : [...INHERITED, pinEnv]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  Object.assign(env, config.environment);
  if (config.softhsmConf !== undefined) env['SOFTHSM2_CONF'] = config.softhsmConf;
  return env;
}

/** A module of the folder `process/`. */
export function entryOf(name: 'main' | 'admin-main'): URL {
  return ENTRIES[name];
}

const ENTRIES = {
  main: new URL('./process/main.ts', import.meta.url),
  'admin-main': new URL('./process/admin-main.ts', import.meta.url),
};

/** A child process that answers messages one after the other. */
export class VaultChild {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (reply: Reply | undefined) => void>();
  #nextId = 0;

  /** Requests sent so far. */
  sent = 0;
  /** Resident memory after the last answer, in bytes. */
  rss = 0;
  /** When it answered last, on the clock of performance.now(). */
  lastAnswer = performance.now();
  /** Resolves with the reason when the process is gone. */
  readonly exited: Promise<string>;

  /** `entry`: the module that the process runs. */
  constructor(entry: URL, config: Pick<VaultTokenConfig, 'softhsmConf' | 'environment'>, pinEnv?: string) {
    this.#process = fork(fileURLToPath(entry), [], {
      env: environment(config, pinEnv),
      // Without the server's own flags, and deaf to SIGUSR1: either would open the vault to a debugger.
      execArgv: ['--disable-sigusr1'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#process.on('message', (message) => this.#receive(message));
    this.exited = new Promise((resolve) => {
      const gone = (reason: string): void => {
        for (const settle of this.#waiting.values()) settle(undefined);
        this.#waiting.clear();
        resolve(reason);
      };
      this.#process.once('exit', (code, signal) => gone(signal ?? `exit code ${code ?? '?'}`));
      this.#process.on('error', () => {
        if (this.#process.pid === undefined) gone('cannot be started');
      });
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Whether it can be asked; false from the moment its channel breaks, which is before it is known to have ended. */
  get connected(): boolean {
    return this.#process.connected;
  }

  /** Requests that have no answer yet. */
  get inFlight(): number {
    return this.#waiting.size;
  }

  /** One request. Resolves undefined when the process went before it answered. */
  ask(body: unknown): Promise<Reply | undefined> {
    return new Promise((resolve) => {
      const id = this.#nextId;
      this.#nextId += 1;
      this.sent += 1;
      if (!this.#process.connected) {
        resolve(undefined);
        return;
      }
      this.#waiting.set(id, resolve);
      // A channel that breaks here is followed by `exit`, which settles the request.
      this.#process.send({ id, body }, () => undefined);
    });
  }

  #receive(message: unknown): void {
    const reply = replySchema.safeParse(message);
    if (!reply.success) return;
    this.lastAnswer = performance.now();
    this.rss = reply.data.rss;
    const settle = this.#waiting.get(reply.data.id);
    this.#waiting.delete(reply.data.id);
    settle?.(reply.data);
  }

  /** Ends it at once. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Lets it end by itself, and makes sure. */
  async end(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    const timer = setTimeout(() => this.kill(), END_GRACE_MS);
    await this.exited;
    clearTimeout(timer);
  }
}

/** The value of an answer. @throws VaultError */
export function unwrap(reply: Reply | undefined): unknown {
  if (reply === undefined) throw new VaultError('hsm-away', 'the vault process ended');
  if (!reply.ok) throw new VaultError(reply.fault, reply.message);
  return reply.value;
}
