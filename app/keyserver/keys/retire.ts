/** Retiring a version: only when no card has it, may have it, or is about to get it. */
import { KaikaError } from '../../protocol/errors.ts';
import { requireRight } from '../access/terminal.ts';
import { writeAudit } from '../audit/entries.ts';
import { keepJobsOut, runningJobs } from '../store/jobs.ts';
import { holdKeys, listVersions, setState } from '../store/key-versions.ts';
import { countOnCards } from '../store/keys-on-cards.ts';
import type { Queries, Store } from '../store/store.ts';
import { together } from '../store/transaction.ts';
import { placeOf } from './groups.ts';
import type { KeyChange } from './versions.ts';

/**
 * @throws KaikaError `not-permitted` while it is active, or a candidate on any card, or a running job goes to it; `not-found`;
 * `nothing-to-do`
 */
export async function retireKeys(store: Store, version: number, change: KeyChange, now: Date): Promise<void> {
  await together(store, async (db) => {
    await holdKeys(db, now);
    await keepJobsOut(db);
    await requireRight(db, change.operator, 'change-keys');
    const rows = await listVersions(db);
    const { purposes } = change;
    const states = purposes.map((purpose) => {
      const row = rows.find((one) => one.purpose === purpose && one.version === version);
      if (row === undefined) throw new KaikaError('not-found', `${purpose} has no version ${version}`);
      return row.state;
    });
    if (states.every((state) => state === 'retired'))
      throw new KaikaError('nothing-to-do', `${change.name} version ${version} is retired already`);
    if (states.includes('active'))
      throw new KaikaError(
        'not-permitted',
        `${change.name} version ${version} is active: activate another first`,
      );
    for (const purpose of purposes) {
      const cards = await countOnCards(db, placeOf(purpose), version);
      if (cards > 0)
        throw new KaikaError(
          'not-permitted',
          `${purpose} version ${version} is or may be on ${cards} ${cards === 1 ? 'card' : 'cards'}`,
        );
      if (await isWanted(db, purpose, version))
        throw new KaikaError('not-permitted', `a running job writes ${purpose} version ${version}`);
      await setState(db, { purpose, version }, { state: 'retired' });
    }
    const { name, operator, reason } = change;
    await writeAudit(db, { kind: 'key-retire', operator, detail: { name, version, reason } }, now);
  });
}

/** Whether a running job goes to this version. */
async function isWanted(db: Queries, purpose: string, version: number): Promise<boolean> {
  const place = placeOf(purpose);
  const jobs = await runningJobs(db);
  return jobs.some((job) => {
    if (place.kind === 'domain')
      return job.profile === place.cardType && job.domainTarget?.version === version;
    const target = job.targets[place.app];
    return target?.[place.slot]?.version === version;
  });
}
