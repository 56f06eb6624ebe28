/** The vault with a stop watch in front of it. */
import { VaultError } from '../vault/error.ts';
import { type Vault, vaultWith } from '../vault/vault.ts';
import type { Metrics } from './metrics.ts';

/** The same vault; each call of an operation is counted and timed under the operation's name. */
export function measuredVault(vault: Vault, metrics: Metrics): Vault {
  return vaultWith(vault, async (op, call) => {
    const begun = performance.now();
    metrics.add('kaika_hsm_waiting');
    let end = 'ok';
    try {
      return await call();
    } catch (error) {
      end = error instanceof VaultError ? error.fault : 'error';
      throw error;
    } finally {
      metrics.add('kaika_hsm_waiting', {}, -1);
      metrics.add('kaika_hsm_calls_total', { op, end });
      metrics.observe('kaika_hsm_seconds', (performance.now() - begun) / 1000, { op });
    }
  });
}
