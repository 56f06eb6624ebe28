/** The proof in a backup's last line: its hash, sealed under a key of the token for this and nothing else. */
import { timingSafeEqual } from 'node:crypto';
import type { BackupSeal } from '../store/backup.ts';
import { VaultError } from '../vault/error.ts';
import type { Vault } from '../vault/vault.ts';

const CONTEXT = 'backup';

/** @throws VaultError from both when the HSM is away: a backup is then neither made nor believed */
export function backupSeal(vault: Pick<Vault, 'seal' | 'unseal'>): BackupSeal {
  return {
    seal: (hash) => vault.seal({ clear: hash, context: CONTEXT }),
    async isSeal(sealed, hash) {
      try {
        const clear = await vault.unseal({ sealed, context: CONTEXT });
        return clear.length === hash.length && timingSafeEqual(clear, hash);
      } catch (error) {
        if (error instanceof VaultError && error.fault === 'refused') return false;
        throw error;
      }
    },
  };
}
