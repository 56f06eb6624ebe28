/** Once for all stories: the window built, screens that only exist in memory, and at the end the evidence of all of them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LIMIT } from '../../support/limit.ts';
import { EVIDENCE_PARTS, SCREENS, writeEvidence } from './evidence.ts';
import { SCREENS_VARIABLE, SIDE_BY_SIDE } from './screens.ts';

const BUILD = fileURLToPath(new URL('../../../scripts/build/main.mjs', import.meta.url));

export default async function setup(): Promise<() => Promise<void>> {
  const built = spawnSync(process.execPath, [BUILD, '--if-changed'], { encoding: 'utf8', timeout: LIMIT });
  if (built.status !== 0) throw new Error(`the window could not be built:\n${built.stderr}`);
  for (const folder of [EVIDENCE_PARTS, SCREENS]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const screens =
    process.platform === 'linux' ? await Promise.all(Array.from({ length: SIDE_BY_SIDE }, openScreen)) : [];
  process.env[SCREENS_VARIABLE] = screens.map(({ display }) => display).join(' ');
  return async () => {
    writeEvidence();
    for (const { child } of screens) {
      child.kill();
      await once(child, 'exit');
    }
  };
}

/** A screen of our own, so that nothing pops up before whoever runs the tests, and its size is known. */
async function openScreen(): Promise<{ readonly child: ChildProcess; readonly display: string }> {
  const child = spawn(
    'Xvfb',
    ['-displayfd', '1', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp', '-ac'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const number = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Xvfb did not start')), LIMIT);
    child.once('error', reject);
    child.stdout.once('data', (said) => {
      clearTimeout(timer);
      resolve(String(said).trim());
    });
  });
  return { child, display: `:${number}` };
}
