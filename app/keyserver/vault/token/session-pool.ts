/**
 * Sessions of one login. The first one is kept aside, because closing the last session would log out; the others are
 * lent out, and one in which a call failed is closed (CKR_OPERATION_ACTIVE would meet its next user).
 */
import pkcs11, { type Handle, type PKCS11 } from 'pkcs11js';
import type { RawCryptoki } from './raw-cryptoki.ts';
import { TokenSession } from './session.ts';

/** Lends sessions of a slot; all are logged in once the kept one is. */
export class SessionPool {
  readonly #p11: PKCS11;
  readonly #raw: RawCryptoki;
  readonly #slot: Handle;
  readonly #flags: number;
  readonly #free: TokenSession[] = [];

  /** The session that holds the login. */
  readonly kept: Handle;

  /** `access`: the serving vault never needs to write token objects. @throws Pkcs11Error */
  constructor(p11: PKCS11, raw: RawCryptoki, slot: Handle, access: 'read' | 'write') {
    this.#p11 = p11;
    this.#raw = raw;
    this.#slot = slot;
    this.#flags = pkcs11.CKF_SERIAL_SESSION | (access === 'write' ? pkcs11.CKF_RW_SESSION : 0);
    this.kept = p11.C_OpenSession(slot, this.#flags);
  }

  /** Lends a session for the length of `work`. @throws what `work` throws; Pkcs11Error */
  use<T>(work: (session: TokenSession) => T): T {
    const session =
      this.#free.pop() ??
      new TokenSession(this.#p11, this.#raw, this.#p11.C_OpenSession(this.#slot, this.#flags));
    try {
      const result = work(session);
      this.#free.push(session);
      return result;
    } catch (error) {
      this.#discard(session);
      throw error;
    }
  }

  #discard(session: TokenSession): void {
    try {
      this.#p11.C_CloseSession(session.handle);
    } catch {
      // The session is lost already; the call that failed is what the caller hears of.
    }
  }
}
