/** Things go wrong in the middle of a job, on real parts; the job goes on, and the record shows one issuing. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../app/station/engine.ts';
import type { Wish } from '../support/jobs.ts';
import {
  cardRead,
  openWorld,
  outcomeOf,
  reaches,
  serviceIs,
  startOn,
  type World,
  waitForJob,
} from '../support/world.ts';

let world: World;
let station: Engine;
beforeAll(async () => {
  world = await openWorld(2);
  station = await world.openStation();
});
afterAll(() => world.close());
afterEach(async () => {
  await world.rig.remove(0);
  await world.rig.remove(1);
});

describe('the card is pulled out in the middle', () => {
  it.each([
    'authenticate',
    'write-maintenance-key',
    'write-master-control-key',
    'write-enabled-flag',
  ] as const)('at %s, and put back: the same job goes on', async (step) => {
    const file = await world.newCard();
    await world.rig.insert(0, file, REALISTIC);
    const reader = world.readers[0] ?? '';
    const card = await cardRead(station, reader);
    const job = await startOn(station, reader, WISHES);
    await reaches(station, job, step);
    await world.rig.remove(0);
    expect(await waitForJob(station, job, (view) => view.state.kind === 'waiting-for-card')).toBe(true);
    await world.rig.insert(0, file, REALISTIC);
    expect((await outcomeOf(station, job)).result).toBe('complete');
    await expectOneIssuing(card, ['e-wallet', 'identity']);
  });

  it('while loading, and put into another reader: the same job goes on there', async () => {
    const file = await world.newCard();
    await world.rig.insert(0, file, REALISTIC);
    const card = await cardRead(station, world.readers[0] ?? '');
    const job = await startOn(station, world.readers[0] ?? '', LOAD);
    await reaches(station, job, 'load-block');
    await world.rig.remove(0);
    await world.rig.insert(1, file, REALISTIC);
    expect((await outcomeOf(station, job)).result).toBe('complete');
    await expectOneIssuing(card, ['campus-meal']);
  });

  it('and another card put in: it is left alone, and the job waits for its own', async () => {
    const file = await world.newCard();
    const other = await world.newCard();
    await world.rig.insert(0, file, REALISTIC);
    const card = await cardRead(station, world.readers[0] ?? '');
    const job = await startOn(station, world.readers[0] ?? '', WISHES);
    await reaches(station, job, 'write-maintenance-key');
    await world.rig.remove(0);
    await world.rig.insert(0, other, REALISTIC);
    const otherCard = await cardRead(station, world.readers[0] ?? '');
    expect(otherCard).not.toBe(card);
    await expect(world.record(otherCard)).rejects.toThrow('never seen');
    await world.rig.remove(0);
    await world.rig.insert(0, file, REALISTIC);
    expect((await outcomeOf(station, job)).result).toBe('complete');
    await expectOneIssuing(card, ['e-wallet', 'identity']);
  });
});

describe('the smart card service goes in the middle', () => {
  it('comes back, and the job goes on', async () => {
    await world.rig.insert(0, await world.newCard(), REALISTIC);
    const card = await cardRead(station, world.readers[0] ?? '');
    const job = await startOn(station, world.readers[0] ?? '', LOAD);
    await reaches(station, job, 'load-block');
    await world.rig.stopService();
    expect(await waitForJob(station, job, (view) => view.state.kind === 'waiting-for-card')).toBe(true);
    expect(await serviceIs(station, 'missing')).toBe(true);
    await world.rig.startService();
    expect(await serviceIs(station, 'running')).toBe(true);
    expect((await outcomeOf(station, job)).result).toBe('complete');
    await expectOneIssuing(card, ['campus-meal']);
  });
});

describe('the key server is killed in the middle', () => {
  it.each(['write-maintenance-key', 'write-master-control-key', 'write-enabled-flag'] as const)(
    'at %s, and started again: the job goes on',
    async (step) => {
      await world.rig.insert(0, await world.newCard(), REALISTIC);
      const card = await cardRead(station, world.readers[0] ?? '');
      const job = await startOn(station, world.readers[0] ?? '', WISHES);
      await reaches(station, job, step);
      await world.server().kill();
      expect(await waitForJob(station, job, (view) => view.state.kind === 'waiting-for-server')).toBe(true);
      await world.restartServer();
      expect((await outcomeOf(station, job)).result).toBe('complete');
      await expectOneIssuing(card, ['e-wallet', 'identity']);
    },
  );
});

describe('the station is closed in the middle', () => {
  it('and opened again: the job goes on with the card that is still there', async () => {
    await world.rig.insert(0, await world.newCard(), REALISTIC);
    const card = await cardRead(station, world.readers[0] ?? '');
    const job = await startOn(station, world.readers[0] ?? '', LOAD);
    await reaches(station, job, 'load-block');
    await station.close();
    station = await world.openStation();
    expect((await outcomeOf(station, job)).result).toBe('complete');
    await expectOneIssuing(card, ['campus-meal']);
  });
});

const REALISTIC = { latency: 'realistic' } as const;

const WISHES: Wish[] = [
  { app: 'e-wallet', action: 'enable' },
  { app: 'identity', action: 'enable' },
];

const LOAD: Wish[] = [{ app: 'campus-meal', action: 'enable' }];

async function expectOneIssuing(card: string, apps: string[]) {
  const record = await world.record(card);
  expect(record.issued).toBe(true);
  expect(record.jobs.map((job) => job.result)).toEqual(['complete']);
  for (const app of apps) {
    expect(record.apps.find((one) => one.app === app)).toMatchObject({
      state: 'enabled',
      keyVersions: { mck: 1, mtk: 1 },
      inDoubt: false,
    });
  }
}
