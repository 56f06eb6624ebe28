/**
 * What the key server may ask of the HSM. Every call names keys, never carries one: master keys stay in the token, a
 * card's key is a session object there for the length of one call. There is deliberately no "encrypt this block".
 */
import { type Around, aroundEach, type CallsOf } from './operation.ts';
import type { ownOperations } from './registry.ts';

/** The serving vault: its own operations (`operations/`) as methods. Every method may reject with VaultError. */
export type Vault = CallsOf<typeof ownOperations> & {
  /**
   * A dialect's operation by its name, because the server knows no dialect. The vault process checks the request.
   * @throws VaultError `refused` for a name that is no dialect's operation
   */
  ask(operation: string, request: unknown): Promise<Uint8Array>;
  close(): Promise<void>;
};

/** The same vault with `around` about each call of an operation, whichever it is. */
export function vaultWith(vault: Vault, around: Around): Vault {
  const { ask, close, ...own } = vault;
  return {
    ...aroundEach(own, around),
    ask: (operation, request) => around(operation, () => ask(operation, request)),
    close,
  };
}
