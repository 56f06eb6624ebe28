/** Calls with a time limit in a bounded queue, in front of the vault process. */
import type { z } from 'zod';
import { VaultError } from './error.ts';
import type { Reply, VaultCall } from './messages.ts';
import { Supervisor, type SupervisorConfig } from './supervisor.ts';
import { unwrap, type VaultChild } from './vault-child.ts';

/** Requests in the channel at once: the next one is there when the process has answered, and few have to be repeated if it dies. */
const WINDOW = 16;

/** How long, and how many. */
interface QueueConfig extends SupervisorConfig {
  /** A call ends within this time, waiting included. */
  readonly callTimeoutMs: number;
  /** Calls waiting or running at once; more are `busy`. */
  readonly queueLimit: number;
}

interface Call {
  readonly body: VaultCall;
  readonly settle: (outcome: Reply | VaultError) => void;
  timer?: NodeJS.Timeout;
  sent?: { readonly child: VaultChild; readonly at: number };
  attempts: number;
  settled: boolean;
}

/** Calls waiting for the vault process, in order. */
export class CallQueue {
  readonly #waiting: Call[] = [];
  readonly #supervisor: Supervisor;
  readonly #limit: number;
  readonly #timeoutMs: number;
  #open = 0;
  #closed = false;

  constructor(config: QueueConfig) {
    this.#limit = config.queueLimit;
    this.#timeoutMs = config.callTimeoutMs;
    this.#supervisor = new Supervisor(config, {
      ready: () => this.#pump(),
      away: (error) => this.#refuseAll(error),
    });
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
      // A call changes nothing in the token, so one that was lost with its process is sent again. Only once: it may be the call that made the
      // process end, and would end one after the other.
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

  /** Ends a process that has answered nothing since a call was sent, when that call's whole time is over: its module hangs. */
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
