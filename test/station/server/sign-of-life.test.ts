/** A window asks once a minute whether the server is there: nothing of it may look like an error in the server's figures. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { setDisabled } from '../../../app/keyserver/access/people.ts';
import { type Engine, openEngine } from '../../../app/station/engine.ts';
import { createServerClient } from '../../../app/station/server/client.ts';
import { writeOperator } from '../../support/operators.ts';
import { openServerSite, SECRET, type ServerInstance, type Site } from '../../support/site.ts';
import type { VirtualReaders } from '../../support/stations.ts';
import { demoCatalogue, openVirtualReaders, systemClock, temporaryFolder } from '../../support/stations.ts';

let site: Site;
let server: ServerInstance;
let folder: string;
let readers: VirtualReaders;
let engine: Engine;
beforeAll(openStationAtServer);
afterAll(close);

it('signed in or not, and when the session is over, which is told: there, and no error is counted', async () => {
  expect(await engine.checkServer()).toMatchObject({ state: 'up' });
  await engine.signIn('clerk', SECRET);
  expect(await engine.checkServer()).toMatchObject({ state: 'up' });
  await setDisabled(site.rig.context.store, 'clerk', true, { by: 'admin' }, new Date());
  await expect(engine.checkServer()).rejects.toMatchObject({ code: 'session-expired' });
  expect(engine.snapshot().server).toMatchObject({ state: 'up' });
  const lines = await figures();
  expect(lines.filter((line) => line.startsWith('kaika_errors_total{'))).toEqual([]);
  expect(lines).toContain('kaika_requests_total{route="/v1/sessions/current",status="200"} 3');
});

it('a station whose certificate was revoked is told so before anybody signs in', async () => {
  const { store } = site.rig.context;
  await store.updateTable('stations').set({ revoked: 1 }).where('name', '=', 'branch-7').execute();
  expect(await engine.checkServer()).toMatchObject({ state: 'away', code: 'server-refused-certificate' });
});

async function openStationAtServer(): Promise<void> {
  site = await openServerSite('sqlite');
  const admin = { id: 'admin', name: 'admin', secret: SECRET, role: 'site-admin' } as const;
  await writeOperator(site.rig.context.store, admin);
  server = await site.start();
  folder = temporaryFolder();
  readers = openVirtualReaders(['A']);
  const line = await site.line('branch-7', [server.port]);
  engine = openEngine({
    folder,
    readers,
    catalogue: demoCatalogue(),
    clock: systemClock,
    server: (memory) => createServerClient({ ...line, clock: systemClock, ...memory }),
  });
}

async function close(): Promise<void> {
  await engine.close();
  await readers.close();
  rmSync(folder, { recursive: true, force: true });
  await site.close();
}

const figures = async () =>
  (await (await fetch(`http://127.0.0.1:${server.operationsPort}/metrics`)).text()).split('\n');
