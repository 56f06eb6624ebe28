/** Where an operation works. */
import type { KeyCache } from '../token/key-cache.ts';
import type { OpenToken } from '../token/open-token.ts';
import type { TokenSession } from '../token/session.ts';

/** The open token, one session lent for the length of the call, and the handles of the masters. */
export interface Workbench {
  readonly token: OpenToken;
  readonly session: TokenSession;
  readonly keys: KeyCache;
}

/** Lends a session and works in it. @throws what `work` throws; Pkcs11Error; VaultError `busy` */
export function atWorkbench<T>(token: OpenToken, work: (bench: Workbench) => T): T {
  return token.sessions.use((session) => work({ token, session, keys: token.keys }));
}
