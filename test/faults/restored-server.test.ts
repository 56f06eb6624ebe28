/** A key server whose store is restored from a backup, and the stations that issued cards since: whole engines, processes and lines. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { backupSeal } from '../../app/keyserver/recovery/backup-seal.ts';
import { restoreBackup } from '../../app/keyserver/recovery/restore.ts';
import { OWN_RESOURCES, openCatalogue } from '../../app/keyserver/resources.ts';
import { writeBackup } from '../../app/keyserver/store/backup.ts';
import type { StoreConfig } from '../../app/keyserver/store/config.ts';
import { openStore, type Store } from '../../app/keyserver/store/open.ts';
import { openVirtualReaders, type VirtualReaders } from '../../app/simulator/virtual-reader.ts';
import { type Engine, openEngine } from '../../app/station/engine.ts';
import { systemClock } from '../../app/station/ports.ts';
import { createServerClient } from '../../app/station/server/client.ts';
import { type Databases, openDatabases } from '../support/databases.ts';
import { onEveryStore, randomDigits, readCardRecord, type Wish } from '../support/jobs.ts';
import { openServerSite, SECRET, type ServerInstance, type Site } from '../support/site.ts';
import { demoCatalogue, temporaryFolder, until } from '../support/station.ts';
import { triesLeft } from '../support/visits.ts';

onEveryStore((kind) => {
  let site: Site;
  let server: ServerInstance;
  let second: Databases | undefined;
  let folder: string;
  let readers: VirtualReaders;
  let engine: Engine;
  beforeAll(async () => {
    site = await openServerSite(kind);
    if (kind === 'postgresql') second = await openDatabases();
    server = await site.start();
    folder = temporaryFolder();
    readers = openVirtualReaders([READER]);
    const line = await site.line('branch-7', [server.port]);
    engine = openEngine({
      folder,
      readers,
      catalogue: demoCatalogue(),
      clock: systemClock,
      server: (memory) => createServerClient({ ...line, clock: systemClock, ...memory }),
    });
    await engine.signIn('clerk', SECRET);
  });
  afterAll(async () => {
    await engine.close();
    await readers.close();
    rmSync(folder, { recursive: true, force: true });
    await second?.close();
    await site.close();
  });

  const lookAt = () =>
    until(
      engine,
      () => {
        const state = engine.snapshot().readers[0]?.state;
        return state?.kind === 'card' ? state.look.identification : undefined;
      },
      'the card',
    );
  const stateOf = (job: string) => engine.snapshot().jobs.find(({ id }) => id === job)?.state;
  async function issueHere(account: string, wishes: Wish[]) {
    await lookAt();
    const job = await engine.startJob(READER, { account, wishes });
    return until(
      engine,
      () => {
        const state = stateOf(job);
        return state?.kind === 'done' && state.outcome;
      },
      'the outcome',
    );
  }

  it('a card issued since the backup: its record comes back with the station, and its next visit costs no wrong try', async () => {
    const backup = join(site.rig.folder, 'old.backup');
    await writeBackup(site.rig.context.store, backup, new Date(), backupSeal(site.rig.context.vault));

    const { card, identification } = site.rig.newCard();
    const account = randomDigits(16);
    readers.insert(READER, card);
    const wishes: Wish[] = [
      { app: 'e-wallet', action: 'enable' },
      { app: 'campus-meal', action: 'enable' },
    ];
    expect((await issueHere(account, wishes)).result).toBe('complete');
    // Another one is in the middle of its keys when the server goes.
    readers.remove(READER);
    const torn = site.rig.newCard();
    const tornAccount = randomDigits(16);
    readers.insert(READER, torn.card);
    await lookAt();
    const job = await engine.startJob(READER, { account: tornAccount, wishes });
    await until(
      engine,
      () =>
        engine.snapshot().jobs.find(({ id }) => id === job)?.progress.current?.step ===
        'write-master-control-key',
      'the key write',
    );
    await server.kill();
    const told = await site.rig.record(identification);

    const config: StoreConfig = (await second?.database()) ?? {
      kind: 'sqlite',
      file: join(site.rig.folder, 'restored', 'kaika.sqlite'),
    };
    const store: Store = await openStore(config);
    try {
      await restoreBackup(store, backup, new Date(), backupSeal(site.rig.context.vault));
      server = await site.start(server.port, config);
      // The job in hand is one that this server never heard of, or that is over: the station is told, and gives back what it has.
      await until(engine, () => stateOf(job)?.kind === 'failed' || stateOf(job)?.kind === 'done', 'the end');
      await engine.signIn('clerk', SECRET);
      expect(
        await readCardRecord({ store, catalogue: openCatalogue(OWN_RESOURCES) }, identification),
      ).toEqual(told);

      readers.remove(READER);
      torn.card.reset();
      readers.insert(READER, torn.card);
      expect((await issueHere(tornAccount, wishes)).result).toBe('complete');
      readers.remove(READER);
      card.reset();
      readers.insert(READER, card);
      expect((await issueHere(account, [{ app: 'identity', action: 'enable' }])).result).toBe('complete');
      for (const one of [identification, torn.identification]) {
        const { jobs, apps } = await readCardRecord({ store, catalogue: openCatalogue(OWN_RESOURCES) }, one);
        expect(jobs).toHaveLength(2);
        expect(jobs.flatMap(({ steps }) => steps).filter(({ sw }) => sw.startsWith('63C'))).toEqual([]);
        expect(apps.filter(({ inDoubt }) => inDoubt)).toEqual([]);
        expect(apps.find(({ app }) => app === 'e-wallet')).toMatchObject({
          state: 'enabled',
          keyVersions: { mck: 1 },
        });
      }
      expect([triesLeft(card), triesLeft(torn.card)]).toEqual([3, 3]);
    } finally {
      await store.destroy();
    }
  });
});

const READER = 'A';
