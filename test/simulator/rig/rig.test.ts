/** The rig: what it leaves behind (nothing), and what it takes to run one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rig, type RigEvent, rigAvailability, startRig } from '../../../app/simulator/rig/index.ts';
import { VPCD_PORT } from '../../../app/simulator/vpcd.ts';
import { LIMIT } from '../../support/limit.ts';
import { ECHO_ATR } from './echo-card.ts';

const here = await rigAvailability();

describe.skipIf(!here.available)('startRig', () => {
  let folder = '';
  let rig: Rig;
  const events: RigEvent[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rig with spaces '));
    await writeFile(join(folder, 'card'), ECHO_ATR);
    rig = await startRig({ folder, readers: 3, cards: CARDS });
    rig.subscribe((event) => events.push(event));
  });
  afterAll(async () => {
    await rig.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('rounds readers up to pairs, and names them', () => {
    expect(rig.readerNames).toEqual([
      'Virtual Reader A 00 00',
      'Virtual Reader A 00 01',
      'Virtual Reader B 00 00',
      'Virtual Reader B 00 01',
    ]);
  });

  it("keeps vpcd's port off the machine's network", async () => {
    const code = await new Promise<unknown>((resolve) => {
      const socket = createConnection({ host: '127.0.0.1', port: VPCD_PORT + 2 });
      socket.once('connect', () => resolve('connected'));
      socket.once('error', (error) => resolve('code' in error ? error.code : error));
    });
    expect(code).toBe('ECONNREFUSED');
  });

  it('refuses what cannot be done, with a code', async () => {
    await expect(rig.insert(9, join(folder, 'card'))).rejects.toMatchObject({ code: 'no-reader' });
    await expect(rig.insert(0, join(folder, 'nothing'))).rejects.toMatchObject({ code: 'card-file' });
    await rig.insert(0, join(folder, 'card'));
    await expect(rig.insert(0, join(folder, 'card'))).rejects.toMatchObject({ code: 'reader-occupied' });
    await expect(
      rig.insert(1, join(folder, 'card'), { tear: { at: 1, when: 'before' } }),
    ).rejects.toMatchObject({ code: 'card-file' });
    await rig.remove(0);
    await eventually(() => events.some(({ event, reader }) => event === 'removed' && reader === 0));
    await rig.remove(0);
  });

  it('runs beside another one, and leaves nothing when closed', async () => {
    const other = await mkdtemp(join(tmpdir(), 'rig-'));
    const second = await startRig({ folder: other, readers: 2, cards: CARDS });
    expect(second.socketPath).toBe(join(other, 'run', 'pcscd.comm'));
    expect(existsSync(second.socketPath)).toBe(true);
    const count = (): number => descendants(process.pid).filter((pid) => nameOf(pid) === 'pcscd').length;
    const before = count();
    await second.close();
    await second.close();
    expect(count()).toBe(before - 1);
    expect(readdirSync(other)).toEqual([]);
    await expect(second.stopService()).rejects.toMatchObject({ code: 'ended' });
    await rm(other, { recursive: true });
  });

  it('puts the socket elsewhere where its path would be too long', async () => {
    const base = await mkdtemp(join(tmpdir(), 'rig-'));
    const long = join(base, 'a'.repeat(100));
    const far = await startRig({ folder: long, readers: 2, cards: CARDS });
    try {
      expect(Buffer.byteLength(far.socketPath)).toBeLessThanOrEqual(107);
      expect(existsSync(far.socketPath)).toBe(true);
    } finally {
      await far.close();
    }
    expect(existsSync(far.socketPath)).toBe(false);
    await rm(base, { recursive: true, force: true });
  });

  it('dies with its starter, also by SIGKILL', async () => {
    const base = await mkdtemp(join(tmpdir(), 'rig-'));
    const { child } = await starter(base, 'stay');
    const below = descendants(child.pid ?? 0);
    expect(below.map(nameOf)).toContain('pcscd');
    child.kill('SIGKILL');
    await eventually(() => below.every((pid) => nameOf(pid) === ''));
    await rm(base, { recursive: true });
  });

  it.skipIf(process.getuid?.() !== 0)('runs for a user without rights, or says why not', async () => {
    const base = await mkdtemp(join(tmpdir(), 'rig-'));
    await mkdir(join(base, 'own'));
    await chmod(base, 0o755);
    await chown(join(base, 'own'), NOBODY, NOBODY);
    const { child, line } = await starter(join(base, 'own'), 'close', NOBODY);
    if (line['failed'] === undefined) expect(['user-namespace', 'sudo']).toContain(line['entry']);
    else expect(line['failed']).toBe('no-user-namespaces');
    await new Promise((resolve) => {
      if (child.exitCode !== null) resolve(undefined);
      else child.once('exit', resolve);
    });
    await rm(base, { recursive: true });
  });
});

describe('rigAvailability', () => {
  it('names what is missing', async () => {
    const availability = await rigAvailability();
    if (availability.available) expect(['root', 'user-namespace', 'sudo']).toContain(availability.entry);
    else {
      expect([
        'not-linux',
        'pcscd-missing',
        'driver-missing',
        'tools-missing',
        'no-rights',
        'no-user-namespaces',
      ]).toContain(availability.obstacle);
    }
  });
});

const CARDS = fileURLToPath(new URL('./echo-card.ts', import.meta.url));

const STARTER = fileURLToPath(new URL('./starter.ts', import.meta.url));

const NOBODY = 65534;

/** All processes below `pid`, by /proc. */
function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const below = (parent: number): number[] =>
    [...parents].filter(([, ppid]) => ppid === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

function nameOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const isZombie = stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
    return isZombie ? '' : readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

async function eventually(holds: () => boolean): Promise<void> {
  await expect.poll(holds).toBe(true);
}

/** Starts the starter; gives it and the first line it says. */
async function starter(
  folder: string,
  task: string,
  uid?: number,
): Promise<{ child: ChildProcess; line: Record<string, unknown> }> {
  const child = spawn(process.execPath, [STARTER, folder, CARDS, task], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: LIMIT,
    killSignal: 'SIGKILL',
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('error', reject);
    child.once('exit', () => reject(new Error('said nothing')));
  });
  return { child, line: JSON.parse(line) };
}
