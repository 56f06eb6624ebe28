/** Keeps one token open, and opens it again when it went away and came back. */
import type { TokenConfig } from '../../config.ts';
import { VaultError } from '../../error.ts';
import { isTokenError, tokenErrorName } from './cryptoki-error.ts';
import {
  finalize,
  type LoadedModule,
  loadModule,
  type OpenToken,
  openToken,
  PinRefused,
} from './open-token.ts';
import { type PinReader, pinReader } from './pin.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Work on the open token. `run` may do it twice, when the token had to be opened again; `runOnce` never. */
export type TokenWork<T> = (token: OpenToken) => T;

/** The one owner of the module in this process. Synchronous: the module is called by one thread, one call at a time. */
export class TokenKeeper {
  readonly #config: TokenConfig;
  readonly #access: 'read' | 'write';
  readonly #pin: PinReader;
  #module: LoadedModule | undefined;
  #token: OpenToken | undefined;
  #away: { readonly error: VaultError; readonly until: number; readonly pause: number } | undefined;
  #refusedPin: { readonly error: PinRefused; readonly stamp: string } | undefined;

  constructor(config: TokenConfig, access: 'read' | 'write') {
    this.#config = config;
    this.#access = access;
    this.#pin = pinReader(config.pin);
  }

  /**
   * Runs `work` on the open token. When the module fails, the token is opened again and `work` runs once more.
   * @throws VaultError: its own, `hsm-away`, PinRefused
   */
  run<T>(work: TokenWork<T>): T {
    try {
      return this.#attempt(work);
    } catch (error) {
      if (!isTokenError(error)) throw error;
      this.drop();
    }
    try {
      return this.#attempt(work);
    } catch (error) {
      throw isTokenError(error) ? this.#failed(error) : error;
    }
  }

  #failed(error: Error): VaultError {
    this.drop();
    return new VaultError('hsm-away', `token "${this.#config.tokenLabel}" fails (${tokenErrorName(error)})`);
  }

  /**
   * Runs `work` that changes the token, so not twice.
   * @throws VaultError: its own, `hsm-away`, PinRefused
   */
  runOnce<T>(work: TokenWork<T>): T {
    this.run(() => undefined);
    try {
      return this.#attempt(work);
    } catch (error) {
      throw isTokenError(error) ? this.#failed(error) : error;
    }
  }

  /** Closes the token; the next call opens it again. */
  drop(): void {
    if (this.#token === undefined) return;
    finalize(this.#token.p11);
    this.#token = undefined;
  }

  #attempt<T>(work: TokenWork<T>): T {
    const token = this.#open();
    try {
      return work(token);
    } catch (error) {
      // When a software token's files vanish, a search finds no key and gives no error. So the token itself is asked: this throws
      // when it is gone, and the key is called missing only where it is not.
      if (error instanceof VaultError && error.fault === 'key-missing') token.p11.C_GetTokenInfo(token.slot);
      throw error;
    }
  }

  #open(): OpenToken {
    if (this.#token !== undefined) return this.#token;
    if (this.#refusedPin !== undefined && this.#refusedPin.stamp === this.#pin.stamp())
      throw this.#refusedPin.error;
    if (this.#away !== undefined && performance.now() < this.#away.until) throw this.#away.error;
    const stamp = this.#pin.stamp();
    try {
      this.#module ??= loadModule(this.#config.module);
      this.#token = openToken(this.#module, this.#config, this.#pin, this.#access);
    } catch (error) {
      if (error instanceof PinRefused) this.#refusedPin = { error, stamp };
      throw this.#setAway(error);
    }
    this.#away = undefined;
    this.#refusedPin = undefined;
    return this.#token;
  }

  /** Opening may block for seconds on a network HSM; so not at every call while it is away. */
  #setAway(error: unknown): unknown {
    const fault = isTokenError(error)
      ? new VaultError('hsm-away', `token "${this.#config.tokenLabel}" is away (${tokenErrorName(error)})`)
      : error;
    if (fault instanceof VaultError && !(fault instanceof PinRefused)) {
      const pause = Math.min((this.#away?.pause ?? FIRST_PAUSE_MS / 2) * 2, LONGEST_PAUSE_MS);
      this.#away = { error: fault, until: performance.now() + pause, pause };
    }
    return fault;
  }
}
