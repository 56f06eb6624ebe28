/**
 * Sessions of one login. The first one is kept aside, because closing the last session would log out; the others are
 * lent out, and one in which a call failed is closed (CKR_OPERATION_ACTIVE would meet its next user).
 */
import graphene, { type Slot } from 'graphene-pk11';
import type { Handle } from 'pkcs11js';
import { VaultError } from '../../error.ts';
import type { RawCryptoki } from './raw-cryptoki.ts';
import { TokenSession } from './session.ts';

/**
 * Lent at once at most. One call runs at a time and needs one session, rarely two: more means that sessions are not given back, which
 * would use up the token's.
 */
const MOST_LENT = 4;

/** Lends sessions of a slot; all are logged in once the kept one is. */
export class SessionPool {
  readonly #raw: RawCryptoki;
  readonly #slot: Slot;
  readonly #flags: number;
  readonly #free: TokenSession[] = [];
  #lent = 0;

  /** The session that holds the login. */
  readonly kept: Handle;

  /** `access`: the serving vault never needs to write token objects. @throws Pkcs11Error */
  constructor(raw: RawCryptoki, slot: Slot, access: 'read' | 'write') {
    this.#raw = raw;
    this.#slot = slot;
    this.#flags =
      graphene.SessionFlag.SERIAL_SESSION | (access === 'write' ? graphene.SessionFlag.RW_SESSION : 0);
    this.kept = slot.open(this.#flags).handle;
  }

  /** Lends a session for the length of `work`. @throws what `work` throws; Pkcs11Error; VaultError `busy` for too many at once */
  use<T>(work: (session: TokenSession) => T): T {
    if (this.#lent >= MOST_LENT) throw new VaultError('busy', 'no session of the token is free');
    const session = this.#free.pop() ?? new TokenSession(this.#raw, this.#slot.open(this.#flags));
    this.#lent += 1;
    try {
      const result = work(session);
      this.#free.push(session);
      return result;
    } catch (error) {
      this.#discard(session);
      throw error;
    } finally {
      this.#lent -= 1;
    }
  }

  #discard(session: TokenSession): void {
    try {
      session.close();
    } catch {
      // The session is lost already; the call that failed is what the caller hears of.
    }
  }
}
