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
import { afterFailure, type Opening, obstacle } from './opening.ts';
import { type PinReader, pinReader } from './pin.ts';

/** Work on the open token. `run` may do it twice, when the token had to be opened again; `runOnce` never. */
type TokenWork<T> = (token: OpenToken) => T;

/** The one owner of the module in this process. Synchronous: the module is called by one thread, one call at a time. */
export class TokenKeeper {
  readonly #config: TokenConfig;
  readonly #access: 'read' | 'write';
  readonly #pin: PinReader;
  #module: LoadedModule | undefined;
  #token: OpenToken | undefined;
  #opening: Opening = { state: 'free' };

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
    const stamp = this.#pin.stamp();
    const error = obstacle(this.#opening, { at: performance.now(), stamp });
    if (error !== undefined) throw error;
    try {
      this.#module ??= loadModule(this.#config.module);
      this.#token = openToken(this.#module, this.#config, this.#pin, this.#access);
    } catch (failure) {
      throw this.#notOpened(failure, stamp);
    }
    this.#opening = { state: 'free' };
    return this.#token;
  }

  #notOpened(failure: unknown, stamp: string): unknown {
    const { tokenLabel } = this.#config;
    const error = isTokenError(failure)
      ? new VaultError('hsm-away', `token "${tokenLabel}" is away (${tokenErrorName(failure)})`)
      : failure;
    if (error instanceof PinRefused)
      this.#opening = afterFailure(this.#opening, { kind: 'pin-refused', error, stamp });
    else if (error instanceof VaultError)
      this.#opening = afterFailure(this.#opening, { kind: 'away', error, at: performance.now() });
    return error;
  }
}
