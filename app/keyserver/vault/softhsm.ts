/** SoftHSM's files: its configuration, its token folder. */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Paths inside a token folder. */
export interface SoftHsmPaths {
  /** What SOFTHSM2_CONF names. */
  readonly softhsmConf: string;
  /** Where SoftHSM keeps its objects. */
  readonly tokenDir: string;
}

/** Paths that belong to a token folder. */
export function softHsmPaths(tokenFolder: string): SoftHsmPaths {
  const folder = resolve(tokenFolder);
  return { softhsmConf: join(folder, 'softhsm2.conf'), tokenDir: join(folder, 'tokens') };
}

/** Makes the folders (0700) and writes softhsm2.conf (0600). Paths may hold spaces; SoftHSM trims only the ends. */
export function writeSoftHsmConf(tokenFolder: string): SoftHsmPaths {
  const paths = softHsmPaths(tokenFolder);
  mkdirSync(paths.tokenDir, { recursive: true, mode: 0o700 });
  const lines = [
    `directories.tokendir = ${paths.tokenDir}`,
    'objectstore.backend = file',
    'log.level = ERROR',
    'slots.removable = false',
  ];
  writeFileSync(paths.softhsmConf, `${lines.join('\n')}\n`, { mode: 0o600 });
  return paths;
}

function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The folder of the tokens that a configuration names; undefined where it names none, or cannot be read. */
export function tokenFolderOf(softhsmConf: string): string | undefined {
  try {
    return /^directories\.tokendir\s*=\s*(.+?)\s*$/m.exec(readFileSync(softhsmConf, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** Puts SoftHSM's objects onto the disk, since it does not: a new key must outlive a power cut. */
export function syncSoftHsm(softhsmConf: string): void {
  const folder = tokenFolderOf(softhsmConf);
  // A folder cannot be opened on Windows.
  if (folder === undefined || process.platform === 'win32') return;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    syncPath(join(entry.parentPath, entry.name));
  syncPath(folder);
}
