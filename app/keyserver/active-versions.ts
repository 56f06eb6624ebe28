/** Which version of each of the issuer's keys new writes use: the newest in the token, asked for now and then. */
import { KaikaError } from '../protocol/errors.ts';
import type { ActiveVersion } from './issuer/start.ts';
import type { MasterKeyInfo, Vault } from './vault/port.ts';

const FRESH_MILLISECONDS = 30_000;

export function openActiveVersions(vault: Vault, now: () => number): () => Promise<ActiveVersion> {
  let masters: readonly MasterKeyInfo[] = [];
  let asked = Number.NEGATIVE_INFINITY;
  return async () => {
    if (now() - asked > FRESH_MILLISECONDS) {
      masters = (await vault.status()).masters;
      asked = now();
    }
    return (purpose) => {
      const versions = masters
        .filter((key) => key.purpose === purpose && key.origin === 'issuer')
        .map((key) => key.version);
      if (versions.length === 0) throw new KaikaError('hsm-key-missing', `no issuer key for ${purpose}`);
      return Math.max(...versions);
    };
  };
}
