import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { LIMIT } from '../../support/limit.ts';
import { temporaryFolder } from '../../support/station.ts';

// A disk of 2 MB in a mount namespace of its own: needs Linux and root, or user namespaces.
const namespace = process.getuid?.() === 0 ? ['-m'] : ['-r', '-m'];
const canMount =
  process.platform === 'linux' &&
  spawnSync('unshare', [...namespace, 'mount', '-t', 'tmpfs', 'none', '/mnt'], { timeout: LIMIT }).status ===
    0;

it.runIf(canMount)('a full disk stops new jobs before their first effect, and not one in hand', () => {
  const disk = temporaryFolder();
  const script = 'mount -t tmpfs -o size=2m none "$1" && exec "$2" "$3" "$1"';
  const child = spawnSync(
    'unshare',
    [...namespace, 'sh', '-c', script, 'sh', disk, process.execPath, CHILD],
    {
      encoding: 'utf8',
      timeout: LIMIT,
    },
  );
  rmSync(disk, { recursive: true, force: true });
  expect(child.stderr).toBe('');
  expect(JSON.parse(child.stdout)).toEqual({
    refused: 'station-disk-full',
    untouched: true,
    finished: 'complete',
    written: [1, 2, 3],
    again: 'station-disk-full',
    later: true,
  });
});

const CHILD = fileURLToPath(new URL('../../support/full-disk-child.ts', import.meta.url));
