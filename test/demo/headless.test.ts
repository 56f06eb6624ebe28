/** The main job as a person at a terminal meets it: real processes, real pcscd, real SoftHSM, real TLS, real store. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { demoCard } from '../../app/demo/cards.ts';
import { FAULTS, type FaultName } from '../../app/demo/faults.ts';
import { sitePaths } from '../../app/demo/site.ts';
import type { ErrorCode } from '../../app/protocol/errors.ts';
import { startRig } from '../../app/simulator/rig/index.ts';
import { demoRecord, runDemo, SOURCES, startDemo } from '../support/demo-run.ts';
import { sharedFolder } from '../support/folders.ts';
import { textsIn } from '../support/texts.ts';

// A path with a space, as on many a desk.
const data = sharedFolder('demo on a desk');

describe('npm start -- --headless', () => {
  it('enables two installed apps, loads and enables a missing one, deletes a fourth; the server has recorded it', async () => {
    const { status, result, stderr } = await runDemo(data, [], {}, SOURCES);
    expect(stderr).toContain('Done: take the card');
    expect(status).toBe(0);
    expect(result).toMatchObject({
      outcome: 'complete',
      apps: [
        { app: 'e-wallet', before: 'installed', after: 'enabled', keyVersions: { mck: 1, mtk: 1 } },
        { app: 'identity', before: 'installed', after: 'enabled', keyVersions: { mck: 1, mtk: 1 } },
        { app: 'campus-meal', before: 'missing', after: 'enabled', keyVersions: { mck: 1, mtk: 1 } },
      ],
      deleted: ['transit'],
    });
    expect(result.trips).toBe(result.plannedTrips);
    const record = await demoRecord(data, result.card ?? '');
    expect(record.issued).toBe(true);
    expect(record.jobs).toHaveLength(1);
    expect(Object.fromEntries(record.apps.map((app) => [app.app, app.state]))).toEqual({
      'e-wallet': 'enabled',
      identity: 'enabled',
      transit: 'missing',
      'campus-meal': 'enabled',
    });
    expect(record.apps.find((app) => app.app === 'campus-meal')?.loadFileHash).toMatch(/^[0-9A-F]{64}$/);
  });

  it('works over SCP02, and with the built-in virtual reader', async () => {
    const { status, result, stderr } = await runDemo(data, [
      '--card-type',
      'demo-scp02',
      '--built-in',
      '--latency',
      'none',
    ]);
    expect(stderr).toContain('built-in virtual reader');
    expect([status, result.outcome]).toEqual([0, 'complete']);
  });

  it('deletes, loads and enables again on a kept card: the keys start from the factory’s again', async () => {
    const card = join(data, 'kept card.json');
    const run = (...args: string[]) => runDemo(data, ['--card', card, '--latency', 'none', ...args]);
    const first = await run('--apps', 'campus-meal', '--account', '6217001234567890');
    // The demo card's challenges follow from its counter: a channel that opens the job costs no trip of its own.
    expect(first.result).toMatchObject({ outcome: 'complete', trips: 6, plannedTrips: 6 });
    expect((await run('--delete', 'campus-meal')).result).toMatchObject({
      outcome: 'complete',
      deleted: ['campus-meal'],
    });
    const again = await run('--apps', 'campus-meal');
    expect(again.result).toMatchObject({
      outcome: 'complete',
      apps: [{ before: 'missing', after: 'enabled', keyVersions: { mck: 1 } }],
    });
    const record = await demoRecord(data, first.result.card ?? '');
    expect(record).toMatchObject({ account: '6217001234567890' });
    expect(record.jobs).toHaveLength(3);
    expect(record.apps.find((app) => app.app === 'campus-meal')).toMatchObject({
      instance: 2,
      state: 'enabled',
    });
    const other = await run('--apps', 'e-wallet', '--account', '6217009999999999');
    expect([other.status, other.result.error]).toEqual([1, 'account-mismatch']);
    // Four runs of everything, one after the other.
  });
});

describe('a purse with money in it', () => {
  it('is deleted only when a second person confirms', async () => {
    const card = join(data, 'purse.json');
    const refused = await runDemo(data, [
      '--fault',
      'purse-not-empty',
      '--card',
      card,
      '--delete',
      'transit',
      '--latency',
      'none',
    ]);
    expect([refused.status, refused.result]).toMatchObject([
      1,
      { outcome: 'refused', deleted: [], error: 'purse-not-empty' },
    ]);
    const confirmed = await runDemo(data, [
      '--card',
      card,
      '--delete',
      'transit',
      '--confirm',
      '--latency',
      'none',
    ]);
    expect(confirmed.result).toMatchObject({
      outcome: 'complete',
      deleted: ['transit'],
      trips: 2,
      plannedTrips: 2,
    });
  });
});

const REFUSALS: Partial<Record<FaultName, ErrorCode>> = {
  'server-away': 'server-away',
  'certificate-refused': 'server-refused-certificate',
  'server-not-trusted': 'server-not-trusted',
  'wrong-clock': 'wrong-clock',
  'hsm-away': 'hsm-away',
  'card-full': 'not-enough-memory',
  'service-missing': 'pcsc-not-running',
  'no-reader': 'no-reader',
  'no-card': 'no-card',
  'unknown-card': 'unknown-card',
  'wrong-card-type': 'wrong-card-type',
  'app-not-in-catalogue': 'app-not-in-catalogue',
};

describe('--fault', () => {
  it.each(Object.entries(REFUSALS))('%s says %s, and leaves the card alone', async (name, code) => {
    const language = name === 'no-card' ? 'zh-CN' : 'en';
    const { status, result, stderr } = await runDemo(data, [
      '--fault',
      name,
      '--language',
      language,
      '--latency',
      'none',
    ]);
    expect(result).toMatchObject({ outcome: 'refused', error: code, apps: [], deleted: [] });
    expect(status).toBe(1);
    const { what, next } = textsIn(language).error(code);
    expect(stderr).toContain(what);
    expect(stderr).toContain(next);
  });

  it.each(['card-pulled:2', 'card-pulled:7', 'card-pulled:10'])(
    '%s: put back, the same job goes on, one issuing on record',
    async (fault) => {
      const { status, result, stderr } = await runDemo(data, ['--fault', fault]);
      expect([status, result.outcome], stderr).toEqual([0, 'complete']);
      const record = await demoRecord(data, result.card ?? '');
      expect(record.jobs.map((job) => job.result)).toEqual(['complete']);
    },
  );

  it('is tried for every name there is', () => {
    const tried = new Set([...Object.keys(REFUSALS), 'card-pulled', 'purse-not-empty']);
    expect(Object.keys(FAULTS).filter((name) => !tried.has(name))).toEqual([]);
  });
});

describe('--pcsc', () => {
  it('uses the service and the readers that are there', async () => {
    const rig = await startRig({ folder: join(data, 'pcsc'), readers: 1 });
    try {
      const paths = sitePaths(join(data, 'demo'));
      const { file } = await demoCard(paths, 'demo-scp03');
      await rig.insert(0, file);
      const { status, result, stderr } = await runDemo(data, ['--pcsc', '--apps', 'e-wallet'], {
        PCSCLITE_CSOCK_NAME: rig.socketPath,
      });
      expect(stderr).toContain('this machine’s PC/SC readers');
      expect([status, result.outcome, result.trips, result.plannedTrips]).toEqual([0, 'complete', 5, 5]);
    } finally {
      await rig.close();
    }
  });

  it('says in words when there is no service', async () => {
    const { status, result } = await runDemo(data, ['--pcsc'], {
      PCSCLITE_CSOCK_NAME: join(data, 'nowhere'),
    });
    expect([status, result.error]).toEqual([1, 'pcsc-not-running']);
  });
});

describe('the program itself', () => {
  it('says in one sentence that a station is already running, and ends everything it started on Ctrl-C', async () => {
    const run = startDemo(data, ['--headless']);
    await run.told(/Signed in/);
    const family = childrenOf(run.child.pid ?? 0);
    expect(family.length).toBeGreaterThan(1);
    const second = await runDemo(data, []);
    expect(second).toMatchObject({
      status: 1,
      result: { outcome: 'refused', error: 'station-already-running' },
    });
    run.child.kill('SIGINT');
    const { status } = await run.ended;
    expect(status).toBe(130);
    expect(family.filter(isAlive)).toEqual([]);
  });

  it('refuses a command line it does not understand in one sentence', async () => {
    const run = startDemo(data, ['--headless', '--apps', 'E wallet!']);
    expect(await run.ended).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is not the name of an app'),
    });
  });

  it('starts fresh after --reset', async () => {
    const { result, stderr } = await runDemo(data, [
      '--reset',
      '--apps',
      'e-wallet,identity',
      '--latency',
      'none',
    ]);
    expect(stderr).toContain('making the demo');
    expect(result).toMatchObject({ outcome: 'complete', trips: 9, plannedTrips: 9 });
  });
});

/** Every process below `pid`, from /proc. */
function childrenOf(pid: number): number[] {
  const direct = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
  return [...direct, ...direct.flatMap(childrenOf)];
}

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
