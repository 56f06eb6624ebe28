/** Putting a backup into an empty store: its rows, the store's next generation, and who answers for it. */
import { writeAudit } from '../audit/entries.ts';
import { type BackupTrust, readBackup } from '../store/backup.ts';
import { dropGrants } from '../store/cards.ts';
import { raiseStoreGeneration } from '../store/generation.ts';
import { endAllJobs } from '../store/jobs.ts';
import { dropOneTimeSecrets } from '../store/people.ts';
import type { Store } from '../store/store.ts';
import { together } from '../store/transaction.ts';

/**
 * Puts a backup into an empty store. The store's generation rises, which stations see and give their receipts back for; jobs that were running
 * end as superseded, because cards may have gone on since. Gives the new generation.
 * @throws KaikaError `server-store-failed` for a store that is not empty, and a file that is damaged, of a newer version, or not of whom `trust` asks
 * for; VaultError. Nothing is changed then
 */
export async function restoreBackup(
  store: Store,
  file: string,
  now: Date,
  trust: BackupTrust,
): Promise<number> {
  const backup = await readBackup(file, trust);
  return together(store, async (db) => {
    await backup.fill(db);
    await endAllJobs(db, now.toISOString());
    await dropGrants(db);
    // One that was used since lets nobody choose a secret once more.
    await dropOneTimeSecrets(db);
    const generation = await raiseStoreGeneration(db, now);
    const name = file.split(/[\\/]/).at(-1) ?? '';
    const authenticated = trust !== 'unauthenticated';
    await writeAudit(db, { kind: 'restore', detail: { generation, file: name, authenticated } }, now);
    return generation;
  });
}
