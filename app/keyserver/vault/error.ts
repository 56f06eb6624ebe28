/** The one error that whoever calls the vault has to expect. */

/** Every reason why the vault cannot serve. */
export const VAULT_FAULTS = ['hsm-away', 'key-missing', 'refused', 'busy'] as const;

/**
 * Why the vault cannot serve. `hsm-away`: module, token or vault process; comes back by itself. `key-missing`: the token
 * is there, the key is not. `refused`: what is asked for is never done. `busy`: too much is waiting.
 */
export type VaultFault = (typeof VAULT_FAULTS)[number];

/** A fault of the vault. The message names keys by purpose and version only. */
export class VaultError extends Error {
  readonly fault: VaultFault;
  constructor(fault: VaultFault, message: string) {
    super(message);
    this.name = 'VaultError';
    this.fault = fault;
  }
}
