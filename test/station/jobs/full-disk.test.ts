import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { LIMIT } from '../../support/limit.ts';
import { temporaryFolder } from '../../support/stations.ts';

it.runIf(canMount())('a full disk stops new jobs before their first effect, and not one in hand', () => {
  expect(onSmallDisk('full-from-the-beginning')).toEqual({
    refused: 'station-disk-full',
    untouched: true,
    finished: 'complete',
    written: [1, 2, 3],
    again: 'station-disk-full',
    later: true,
  });
});

it.runIf(canMount())('a disk that is full when only the end is left takes that from the reserve', () => {
  expect(onSmallDisk('full-at-the-end')).toEqual({ end: 'done', reserve: false });
});

/** A disk of 2 MB in a mount namespace of its own: needs Linux and root, or user namespaces. */
function canMount(): boolean {
  const mount = [...namespace(), 'mount', '-t', 'tmpfs', 'none', '/mnt'];
  return process.platform === 'linux' && spawnSync('unshare', mount, { timeout: LIMIT }).status === 0;
}

function namespace(): string[] {
  return process.getuid?.() === 0 ? ['-m'] : ['-r', '-m'];
}

/** What a scenario of the child saw. */
function onSmallDisk(scenario: string): unknown {
  const disk = temporaryFolder();
  const script = 'mount -t tmpfs -o size=2m none "$1" && exec "$2" "$3" "$1" "$4"';
  const child = spawnSync(
    'unshare',
    [...namespace(), 'sh', '-c', script, 'sh', disk, process.execPath, CHILD, scenario],
    { encoding: 'utf8', timeout: LIMIT },
  );
  rmSync(disk, { recursive: true, force: true });
  expect(child.stderr).toBe('');
  return JSON.parse(child.stdout);
}

const CHILD = fileURLToPath(new URL('../../support/full-disk-child.ts', import.meta.url));
