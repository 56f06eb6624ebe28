/**
 * Folders for what a test writes and throws away. Stores and tokens sync every step to the disk, and waiting for a real disk would be most of
 * the time of a test; so the folders are in memory where there is a memory disk with room. The tests end processes and cut lines, they
 * cut no power: what is in a file after that is the same on both.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** What a whole run may need at a time, several times over. */
const ROOM = 2 * 1024 ** 3;

function parent(): string {
  if (process.platform !== 'linux') return tmpdir();
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > ROOM ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** A new folder; whoever asks for it removes it. */
export function scratchFolder(prefix: string): string {
  return mkdtempSync(join(parent(), prefix));
}

/** Where a new folder may be made. */
export function scratchPath(prefix: string): string {
  return join(parent(), prefix + randomUUID().slice(0, 13));
}
