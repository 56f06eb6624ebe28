// @ts-check
/** Whether the sources of the window are still those it was built from: names, sizes and times of all of them. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from '../bootstrap/copy.mjs';

const SOURCES = [
  'electron',
  'renderer',
  'app',
  'resources',
  'scripts/build',
  'package-lock.json',
  'package.json',
];

export function fingerprint() {
  const hash = createHash('sha256');
  const add = (/** @type {string} */ path) => {
    const { mtimeMs, size } = statSync(join(paths.root, path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  };
  for (const source of SOURCES) {
    const entry = statSync(join(paths.root, source), { throwIfNoEntry: false });
    if (entry?.isFile()) add(source);
    if (!entry?.isDirectory()) continue;
    const inside = readdirSync(join(paths.root, source), { recursive: true, withFileTypes: true });
    for (const file of inside) {
      if (file.isFile()) add(join(file.parentPath, file.name).slice(paths.root.length + 1));
    }
  }
  return hash.digest('hex');
}
