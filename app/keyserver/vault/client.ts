/** The serving vault as the server sees it: calls with a time limit and a bounded queue, in front of the vault process. */
import { z } from 'zod';
import type { VaultTokenConfig } from './config.ts';
import { masterInfoSchema, ownBytes, type Reply, type VaultCall } from './messages.ts';
import { KEY_ALGORITHMS, type Vault, VaultError } from './port.ts';
import { Supervisor, type VaultEvent } from './supervisor.ts';
import { unwrap, type VaultChild } from './vault-child.ts';

/** Requests sent ahead of their turn, so that the process never waits for the next one. */
const WINDOW = 16;
const DEFAULTS = {
  callTimeoutMs: 5_000,
  queueLimit: 256,
  startTimeoutMs: 15_000,
  recycleCalls: 200_000,
  recycleRss: 400 << 20,
};

/** What an installation configures; all limits have defaults. */
export interface VaultConfig extends VaultTokenConfig {
  /** A call ends within this time, waiting included. Default 5 s. */
  readonly callTimeoutMs?: number;
  /** Calls waiting or running at once; more are `busy`. Default 256. */
  readonly queueLimit?: number;
  /** Default 15 s. */
  readonly startTimeoutMs?: number;
  /** Calls after which the process is replaced. Default 200,000 (some 100 MB of leak). */
  readonly recycleCalls?: number;
  /** Resident bytes above which the process is replaced, after 100 calls at the earliest. Default 400 MiB. */
  readonly recycleRss?: number;
  /** Hears of every start and end of a vault process. */
  readonly onEvent?: (event: VaultEvent) => void;
}

interface Call {
  readonly body: VaultCall;
  readonly settle: (outcome: Reply | VaultError) => void;
  timer?: NodeJS.Timeout;
  sent?: { readonly child: VaultChild; readonly at: number };
  attempts: number;
  settled: boolean;
}

const pathSchema = z.enum(['inside-token', 'wiped-buffer']);
const statusSchema = z.strictObject({
  token: z.string(),
  manufacturer: z.string(),
  softwareToken: z.boolean(),
  demo: z.boolean(),
  newKeys: pathSchema,
  newDomainKeys: z.record(z.enum(KEY_ALGORITHMS), pathSchema),
  masters: z.array(masterInfoSchema),
});
const wrappedKeysSchema = z
  .array(
    z.strictObject({
      kind: z.enum(['des', 'aes']),
      length: z.int().min(16).max(32),
      cipher: ownBytes,
      checkValue: ownBytes,
    }),
  )
  .length(3);
const sessionKeysSchema = z.strictObject({ enc: ownBytes, mac: ownBytes, rmac: ownBytes });
const foretoldSchema = sessionKeysSchema.extend({ cardChallenge: ownBytes });

/** Calls waiting for the vault process, in order. */
class CallQueue {
  readonly #waiting: Call[] = [];
  readonly #supervisor: Supervisor;
  readonly #limit: number;
  readonly #timeoutMs: number;
  #open = 0;
  #closed = false;

  constructor(config: VaultConfig) {
    this.#limit = config.queueLimit ?? DEFAULTS.queueLimit;
    this.#timeoutMs = config.callTimeoutMs ?? DEFAULTS.callTimeoutMs;
    this.#supervisor = new Supervisor(
      {
        ...config,
        startTimeoutMs: config.startTimeoutMs ?? DEFAULTS.startTimeoutMs,
        recycleCalls: config.recycleCalls ?? DEFAULTS.recycleCalls,
        recycleRss: config.recycleRss ?? DEFAULTS.recycleRss,
        onEvent: config.onEvent ?? (() => undefined),
      },
      { ready: () => this.#pump(), away: (error) => this.#refuseAll(error) },
    );
  }

  start(): Promise<void> {
    return this.#supervisor.start();
  }

  /** One call, checked against the shape of its answer. @throws VaultError */
  async call<T>(body: VaultCall, answer: z.ZodType<T>): Promise<T> {
    if (this.#closed) throw new VaultError('hsm-away', 'the vault is closed');
    if (this.#supervisor.pausing) throw new VaultError('hsm-away', 'the vault process does not start');
    if (this.#open >= this.#limit) throw new VaultError('busy', 'too many calls are waiting for the vault');
    const outcome = await new Promise<Reply | VaultError>((settle) => this.#enqueue(body, settle));
    if (outcome instanceof VaultError) throw outcome;
    const value = answer.safeParse(unwrap(outcome));
    if (!value.success) throw new VaultError('hsm-away', 'the vault process gave an answer of a wrong shape');
    return value.data;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#refuseAll(new VaultError('hsm-away', 'the vault is closed'));
    await this.#supervisor.close();
  }

  #enqueue(body: VaultCall, resolve: (outcome: Reply | VaultError) => void): void {
    const call: Call = {
      body,
      attempts: 0,
      settled: false,
      settle: (outcome) => {
        if (call.settled) return;
        call.settled = true;
        this.#open -= 1;
        clearTimeout(call.timer);
        resolve(outcome);
      },
    };
    this.#open += 1;
    call.timer = setTimeout(() => this.#expire(call), this.#timeoutMs);
    this.#waiting.push(call);
    this.#pump();
  }

  #pump(): void {
    for (;;) {
      const child = this.#supervisor.child;
      if (child === undefined || !child.connected || child.inFlight >= WINDOW) return;
      const call = this.#waiting.shift();
      if (call === undefined) return;
      if (!call.settled) void this.#send(call, child);
    }
  }

  async #send(call: Call, child: VaultChild): Promise<void> {
    call.attempts += 1;
    call.sent = { child, at: performance.now() };
    const reply = await child.ask(call.body);
    if (reply !== undefined) {
      call.settle(reply);
      this.#supervisor.answered(child);
    } else if (call.attempts > 1) {
      // Every call is a computation without effect, so it may be repeated; but one that kills the process, once only.
      call.settle(new VaultError('hsm-away', 'the vault process ended during the call'));
    } else {
      delete call.sent;
      this.#waiting.unshift(call);
    }
    this.#pump();
  }

  #expire(call: Call): void {
    const { sent } = call;
    if (sent === undefined) {
      const fault = this.#supervisor.child === undefined ? 'hsm-away' : 'busy';
      call.settle(new VaultError(fault, 'the vault had no time for the call'));
      return;
    }
    call.settle(new VaultError('hsm-away', 'the token did not answer in time'));
    this.#suspect(sent);
  }

  /** A process that had the whole time for a call and answered nothing since: its module hangs, only a new one helps. */
  #suspect({ child, at }: NonNullable<Call['sent']>): void {
    const left = Math.max(0, at + this.#timeoutMs - performance.now());
    setTimeout(() => {
      if (child.lastAnswer < at) child.kill();
    }, left).unref();
  }

  #refuseAll(error: VaultError): void {
    for (const call of this.#waiting.splice(0)) call.settle(error);
  }
}

/**
 * Starts a vault process and gives the vault. A token that is away at the start is no error here: calls say `hsm-away` until
 * it is there.
 * @throws VaultError `refused` when the token does not accept the PIN, `hsm-away` when no process can be started
 */
export async function startVault(config: VaultConfig): Promise<Vault> {
  const queue = new CallQueue(config);
  await queue.start();
  return {
    status: () => queue.call({ op: 'status' }, statusSchema),
    fmcosCryptogram: (key, challenge) => queue.call({ op: 'fmcosCryptogram', key, challenge }, ownBytes),
    fmcosMac: (key, challenge, message) => queue.call({ op: 'fmcosMac', key, challenge, message }, ownBytes),
    fmcosKeyWrite: ({ p1, ...rest }) => {
      if (p1 !== 0x39 && p1 !== 0x36)
        return Promise.reject(new VaultError('refused', 'only keys 39 and 36 are written'));
      return queue.call({ op: 'fmcosKeyWrite', p1, ...rest }, ownBytes);
    },
    channelSessionKeys: (keys, context) =>
      queue.call({ op: 'channelSessionKeys', keys, context }, sessionKeysSchema),
    foretellChannel: (keys, opening) =>
      queue.call({ op: 'foretellChannel', keys, ...opening }, foretoldSchema),
    wrapDomainKeys: (request) => queue.call({ op: 'wrapDomainKeys', ...request }, wrappedKeysSchema),
    seal: (clear, context) => queue.call({ op: 'seal', clear, context }, ownBytes),
    unseal: (sealed, context) => queue.call({ op: 'unseal', sealed, context }, ownBytes),
    close: () => queue.close(),
  };
}
