/** A version is retired while stations begin jobs with it: either it is refused, or no card and no job ever gets it. */
import { beforeAll, expect, it } from 'vitest';
import { placeOf } from '../../../app/keyserver/keys/groups.ts';
import { retireKeys } from '../../../app/keyserver/keys/retire.ts';
import { countOnCards } from '../../../app/keyserver/store/keys-on-cards.ts';
import { onEveryStore, randomDigits, startJob, tokenRig } from '../../support/jobs.ts';
import { activate, addCustodian, importVersion, keyChange } from '../../support/key-versions.ts';
import { CALLER, ENABLE } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = tokenRig(kind);
  beforeAll(async () => {
    await addCustodian(rig);
    await rig.issue(rig.newCard().card, randomDigits(16), ENABLE);
    for (let version = 2; version < 2 + ROUNDS; version += 1) await importVersion(rig, PURPOSES, version);
  });

  it('never both', async () => {
    const { store } = rig.context;
    let refused = 0;
    for (let version = 2; version < 2 + ROUNDS; version += 1) {
      await activate(rig, NAME, version);
      const asked = await Promise.all(
        Array.from({ length: 6 }, () => rig.request(rig.newCard().card, randomDigits(16), ENABLE)),
      );
      // Instances that read the version just before it was taken back.
      const stale = {
        ...rig.context,
        activeVersions: async () => () => ({ version, factor: 'card' as const }),
      };
      await activate(rig, NAME, 1);
      const change = keyChange(rig, NAME);
      const starting = asked.slice(0, version % 3).map((one) => startJob(stale, CALLER, one));
      const retiring = retireKeys(store, version, change, new Date()).then(
        () => true,
        () => false,
      );
      starting.push(...asked.slice(version % 3).map((one) => startJob(stale, CALLER, one)));
      const begun = (await Promise.allSettled(starting)).filter(
        ({ status }) => status === 'fulfilled',
      ).length;
      const open = await store.selectFrom('jobs').select('state').where('ended', 'is', null).execute();
      const wanted = open.filter(({ state }) => state.includes(`"version":${version}`)).length;
      if (await retiring) {
        expect([begun, wanted, await countOnCards(store, placeOf(`${NAME}/mtk`), version)]).toEqual([
          0, 0, 0,
        ]);
      } else {
        refused += 1;
        expect(wanted).toBeGreaterThan(0);
      }
    }
    expect(refused).toBeLessThanOrEqual(ROUNDS);
  });
});

const NAME = 'app/e-wallet';

const PURPOSES = [`${NAME}/mck`, `${NAME}/mtk`];

const ROUNDS = 6;
