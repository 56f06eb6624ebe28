/** The server's line to a vault of another user: one connection to its socket, opened again when it was lost. */
import { connect, type Socket } from 'node:net';
import type { z } from 'zod';
import { LONGEST_SEALED } from './bytes-schema.ts';
import { VaultError } from './error.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { type SocketReply, socketReplySchema, type VaultCall } from './messages.ts';
import type { VaultEvent } from './supervisor-machine.ts';

/** Room for a list of masters, beside what is unsealed. */
const LONGEST_ANSWER = LONGEST_SEALED + (4 << 20);

/** How long, how many, and where. */
interface LineConfig {
  readonly socket: string;
  /** A call ends within this time, waiting included. */
  readonly callTimeoutMs: number;
  /** Calls waiting or running at once; more are `busy`. */
  readonly queueLimit: number;
  readonly onEvent: (event: VaultEvent) => void;
}

interface Call {
  readonly body: VaultCall;
  readonly settle: (outcome: SocketReply | VaultError) => void;
  attempts: number;
}

/** Calls over the socket. */
export class SocketLine {
  readonly #config: LineConfig;
  readonly #open = new Map<number, Call>();
  #connection: Promise<Socket> | undefined;
  #nextId = 0;
  #closed = false;

  constructor(config: LineConfig) {
    this.#config = config;
  }

  /** A service that is not there yet is no error: calls say so until it is. */
  async start(): Promise<void> {
    await this.#connect().catch(() => undefined);
  }

  /** One call, checked against the shape of its answer. @throws VaultError */
  async call<T>(body: VaultCall, answer: z.ZodType<T>): Promise<T> {
    if (this.#closed) throw new VaultError('hsm-away', 'the vault is closed');
    if (this.#open.size >= this.#config.queueLimit)
      throw new VaultError('busy', 'too many calls are waiting for the vault');
    const outcome = await this.#ask(body);
    if (outcome instanceof VaultError) throw outcome;
    if (!outcome.ok) throw new VaultError(outcome.fault, outcome.message);
    const value = answer.safeParse(outcome.value);
    if (!value.success) throw new VaultError('hsm-away', 'the vault gave an answer of a wrong shape');
    return value.data;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connection = await this.#connection?.catch(() => undefined);
    connection?.destroy();
    this.#fail(new VaultError('hsm-away', 'the vault is closed'));
  }

  #ask(body: VaultCall): Promise<SocketReply | VaultError> {
    return new Promise((resolve) => {
      const id = this.#nextId;
      this.#nextId += 1;
      const timer = setTimeout(
        () => call.settle(new VaultError('hsm-away', 'the vault did not answer in time')),
        this.#config.callTimeoutMs,
      );
      const call: Call = {
        body,
        attempts: 0,
        settle: (outcome) => {
          clearTimeout(timer);
          if (this.#open.delete(id)) resolve(outcome);
        },
      };
      this.#open.set(id, call);
      void this.#send(id, call);
    });
  }

  async #send(id: number, call: Call): Promise<void> {
    call.attempts += 1;
    try {
      const socket = await this.#connect();
      // It may have been given up while the line was opened.
      if (!this.#open.has(id)) return;
      const frame = encodeFrame({ id, body: call.body });
      socket.write(frame, () => frame.fill(0));
    } catch (error) {
      call.settle(new VaultError('hsm-away', `the vault's socket cannot be opened (${codeOf(error)})`));
    }
  }

  #connect(): Promise<Socket> {
    if (this.#closed) return Promise.reject(new Error('closed'));
    this.#connection ??= this.#dial();
    return this.#connection;
  }

  #dial(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#config.socket);
      const reader = new FrameReader(LONGEST_ANSWER);
      let opened = false;
      socket.once('connect', () => {
        opened = true;
        this.#config.onEvent({ kind: 'started', pid: undefined, token: 'behind a socket' });
        resolve(socket);
      });
      socket.on('data', (chunk: Buffer) => {
        try {
          for (const message of reader.take(chunk)) this.#take(message);
        } catch {
          socket.destroy();
        }
      });
      socket.once('error', (error) => {
        reject(error);
        socket.destroy();
      });
      socket.once('close', () => {
        this.#connection = undefined;
        if (opened) this.#lost();
      });
    });
  }

  #take(message: unknown): void {
    const reply = socketReplySchema.parse(message);
    this.#open.get(reply.id)?.settle(reply);
  }

  /** A call changes nothing in the token, so what was on its way is asked once more, as with a process that died. */
  #lost(): void {
    if (this.#closed) return;
    this.#config.onEvent({ kind: 'ended', pid: undefined, reason: 'the line to the vault was lost' });
    for (const [id, call] of this.#open)
      if (call.attempts > 1) call.settle(new VaultError('hsm-away', 'the line to the vault was lost'));
      else void this.#send(id, call);
  }

  #fail(error: VaultError): void {
    for (const call of this.#open.values()) call.settle(error);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'failed';
}
