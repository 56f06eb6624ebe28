/**
 * Rogue stations with random requests, invented answers and goals of their own, beside honest ones: whatever they say, nobody else's card loses anything.
 * Another seed than the one below: KAIKA_ATTACK_SEED=… npm test -- test/keyserver/attack.
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withoutGrants } from '../../../app/keyserver/issuer/released.ts';
import { backupSeal } from '../../../app/keyserver/recovery/backup-seal.ts';
import { restoreBackup } from '../../../app/keyserver/recovery/restore.ts';
import { writeBackup } from '../../../app/keyserver/store/backup.ts';
import { readCardState } from '../../../app/keyserver/store/cards.ts';
import { openStore } from '../../../app/keyserver/store/open.ts';
import { playRogueStation } from '../../support/attack/play-rogue-station.ts';
import { tokenRig } from '../../support/issuer-rig.ts';
import { TEST_LIMIT } from '../../support/limit.ts';
import { storePlaces } from '../../support/stores.ts';

const rig = tokenRig('sqlite');
const places = storePlaces('sqlite');
const SEED = process.env['KAIKA_ATTACK_SEED'] ?? 'a';

it(
  'no honest card loses a try, an app, an account or a job, and no record says what is not so',
  async () => {
    const damage = await playRogueStation(rig, { requests: 10_000, seed: SEED });
    // Each sentence names the seed and the request behind which it was found.
    expect(damage).toMatchObject({
      losses: [],
      triesLost: 0,
      appsLost: 0,
      accountsLost: 0,
      jobsLost: 0,
      recordsFalse: 0,
    });
    expect(damage.requests).toBeGreaterThanOrEqual(10_000);
    expect(damage.honestJobs).toBeGreaterThan(250);
    await backedUpAndRestored();
  },
  3 * TEST_LIMIT,
);

/** Whatever stations have made of the records: a backup of them is no use unless it is taken back. */
async function backedUpAndRestored(): Promise<void> {
  const { store, vault } = rig.context;
  const file = join(places.folder, 'after.backup');
  await writeBackup(store, file, new Date(), backupSeal(vault));
  const restored = await openStore(await places.empty());
  await restoreBackup(restored, file, new Date(), backupSeal(vault));
  const cards = await store.selectFrom('cards').select('id').execute();
  for (const { id } of cards)
    expect(await readCardState(restored, id)).toEqual(withoutGrants(await readCardState(store, id)));
  await restored.destroy();
}
