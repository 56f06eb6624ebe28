/** The port in processes of their own: the thread pool, the end of a process, users without rights. */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Rig, rigAvailability, startRig } from '../../../../app/simulator/rig/index.ts';
import { ECHO_ATR } from '../../../simulator/rig/echo-card.ts';
import { LIMIT } from '../../../support/limit.ts';

const here = await rigAvailability();

describe.skipIf(!here.available)('openPcsc in a process', () => {
  let folder = '';
  let rig: Rig;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pcsc-'));
    await chmod(folder, 0o755);
    rig = await startRig({ folder, readers: READERS, cards: CARDS });
  });
  afterEach(async () => {
    for (let reader = 0; reader < READERS; reader += 1) await rig.remove(reader);
  });
  afterAll(async () => {
    await rig.close();
    await rm(folder, { recursive: true, force: true });
  });

  const insert = async (reader: number, atr = ECHO_ATR): Promise<void> => {
    const file = join(folder, `card-${reader}`);
    await writeFile(file, atr);
    await rig.insert(reader, file);
  };

  it('reaches one card while five others never answer, and ends all the same', async () => {
    for (let reader = 0; reader < READERS; reader += 1) await insert(reader);
    const { lines, code } = await client(rig, 'oneAmongSilent', READERS);
    expect(lines[0]).toEqual({ silent: READERS - 1, answered: 7 });
    expect(code).toBe(0);
  });

  it('lets the process end by itself right after close', async () => {
    await insert(0);
    const { lines, code } = await client(rig, 'keepAlive', 1);
    expect(lines[0]).toBe(7);
    expect(lines[1]).toEqual({ closedAfter: expect.any(Number) });
    expect(Number(Object.values(lines[1] ?? {})[0])).toBeLessThan(500);
    expect(code).toBe(0);
  });

  it('speaks T=0 to a card that knows nothing else', async () => {
    await insert(0, '3B044B41494B');
    const { lines } = await client(rig, 'caseFour', 1);
    expect(lines[0]).toBe('8001000002aabb9000');
  });

  it.skipIf(process.getuid?.() !== 0)(
    'works for a user without rights, and says when it may not',
    async () => {
      await insert(0);
      expect((await client(rig, 'keepAlive', 1, NOBODY)).lines[0]).toBe(7);
      await chmod(rig.socketPath, 0o600);
      try {
        expect((await client(rig, 'missing', 0, NOBODY)).lines[0]).toBe('refused');
      } finally {
        await chmod(rig.socketPath, 0o666);
      }
    },
  );
});

const READERS = 6;

const CLIENT = fileURLToPath(new URL('./client.ts', import.meta.url));

const CARDS = fileURLToPath(new URL('../../../simulator/rig/echo-card.ts', import.meta.url));

const NOBODY = 65534;

interface Run {
  readonly lines: readonly unknown[];
  readonly code: number | null;
}

/** Runs the client to its end; it gets 15 s. */
function client(rig: Rig, task: string, readers: number, uid?: number): Promise<Run> {
  const { UV_THREADPOOL_SIZE: _, ...env } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLIENT, rig.socketPath, task, String(readers)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env,
      timeout: LIMIT,
      killSignal: 'SIGKILL',
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      const lines = out
        .split('\n')
        .filter(Boolean)
        .map((line): unknown => JSON.parse(line));
      resolve({ lines, code });
    });
  });
}
