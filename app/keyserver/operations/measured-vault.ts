/** The vault with a stop watch in front of it. */
import { type Vault, VaultError } from '../vault/port.ts';
import type { Metrics } from './metrics.ts';

/** The same vault; each call is counted and timed. */
export function measuredVault(vault: Vault, metrics: Metrics): Vault {
  const timed = async <T>(op: string, call: () => Promise<T>): Promise<T> => {
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
  };
  return {
    ...vault,
    status: () => timed('status', () => vault.status()),
    fmcosCryptogram: (...given) => timed('cryptogram', () => vault.fmcosCryptogram(...given)),
    fmcosMac: (...given) => timed('mac', () => vault.fmcosMac(...given)),
    fmcosKeyWrite: (...given) => timed('key-write', () => vault.fmcosKeyWrite(...given)),
    channelSessionKeys: (...given) => timed('session-keys', () => vault.channelSessionKeys(...given)),
    wrapDomainKeys: (...given) => timed('wrap-keys', () => vault.wrapDomainKeys(...given)),
    seal: (...given) => timed('seal', () => vault.seal(...given)),
    unseal: (...given) => timed('unseal', () => vault.unseal(...given)),
  };
}
