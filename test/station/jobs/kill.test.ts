import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { LIMIT } from '../../support/limit.ts';
import { readWorld } from '../../support/station-child.ts';
import { temporaryFolder } from '../../support/stations.ts';

it('killed at any moment of a job, the next start finishes it, once, and repeats no write', async () => {
  const whole = temporaryFolder();
  const { moments } = reportSchema.parse(JSON.parse((await run(whole, 0, 'start')).text));
  rmSync(whole, { recursive: true, force: true });
  // Opening, request and reply, and for each of 3 writes its commands, its effect and its answers, before and after.
  expect(moments).toBeGreaterThanOrEqual(17);
  const killAt = async (at: number) => {
    const folder = temporaryFolder();
    expect((await run(folder, at, 'start')).signal, `killed at ${at}`).toBe('SIGKILL');
    const resumed = reportSchema.parse(JSON.parse((await run(folder, 0, 'resume')).text));
    const { written, sent, server } = readWorld(folder);
    expect(new Set(sent).size, `no write twice, killed at ${at}`).toBe(sent.length);
    if (resumed.begun === 0) {
      // Only before the job was written down, and then nothing of it happened.
      expect(Object.keys(server.jobs)).toEqual([]);
      expect(written).toEqual([]);
    } else {
      expect([...written].sort(), `killed at ${at}`).toEqual([1, 2, 3]);
      expect(server.outcomes, `killed at ${at}`).toHaveLength(1);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  for (let at = 1; at <= moments; at += 2) {
    await Promise.all([killAt(at), ...(at < moments ? [killAt(at + 1)] : [])]);
  }
});

it('killed again while it recovers, it still finishes', async () => {
  for (const [first, second] of [
    [7, 2],
    [9, 1],
    [10, 3],
    [12, 4],
  ] as const) {
    const folder = temporaryFolder();
    await run(folder, first, 'start');
    await run(folder, second, 'resume');
    await run(folder, 0, 'resume');
    const { written, sent, server } = readWorld(folder);
    expect(new Set(sent).size).toBe(sent.length);
    expect([...written].sort()).toEqual([1, 2, 3]);
    expect(server.outcomes).toHaveLength(1);
    rmSync(folder, { recursive: true, force: true });
  }
});

const CHILD = fileURLToPath(new URL('../../support/station-child.ts', import.meta.url));

const reportSchema = z.object({ moments: z.number(), begun: z.number() });

/** Runs a station; gives its report, or the signal that ended it. */
function run(
  folder: string,
  killAt: number,
  what: 'start' | 'resume',
): Promise<{ signal: string | null; text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, folder, String(killAt), what], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT);
    let text = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code !== 0 && signal === null) reject(new Error(errors));
      else resolve({ signal, text });
    });
  });
}
