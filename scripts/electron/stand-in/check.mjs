// @ts-check
/** Whether the stand-in is there and every byte of it is the known one. Asked at every start. */
import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join, sep } from 'node:path';
import { sizeOf } from '../../bootstrap/copy.mjs';
import { FILES, standInExists, standInFolder } from './known.mjs';

const BLOCK = 1 << 20;

/** @param {string} path @returns {string} in hex */
export function sha256Of(path) {
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafe(BLOCK);
  const file = openSync(path, 'r');
  try {
    for (let length = -1; length !== 0; ) {
      length = readSync(file, block, 0, BLOCK, null);
      hash.update(block.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

/**
 * Everything in the folder must be on the list and as it is there. A file that is not on it counts too: Electron runs a
 * `resources/app` and the loader takes a library that somebody has put there.
 * @param {string} folder
 * @param {Record<string, import('./known.mjs').KnownFile>} [known]
 * @returns {string | undefined} the first file that differs, by its path inside the folder
 */
export function firstDifference(folder, known = FILES) {
  const present = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !lstatSync(join(folder, path)).isDirectory())
    .map((path) => path.replaceAll(sep, '/'));
  // A link is none of them, wherever it leads: what it leads to can be another thing at the next look.
  const unknown = present.find(
    (path) => !Object.hasOwn(known, path) || !lstatSync(join(folder, path)).isFile(),
  );
  if (unknown !== undefined) return unknown;
  // Sizes first: they cost nothing, and tell most damage.
  const entries = Object.entries(known);
  const resized = entries.find(([path, { size }]) => sizeOf(join(folder, path)) !== size);
  if (resized) return resized[0];
  return entries.find(([path, { sha256 }]) => sha256Of(join(folder, path)) !== sha256)?.[0];
}

/** Folders that this process has found to be whole; hashing takes a part of a second, so it is done once. */
const whole = new Set();

/** @param {string} folder @returns {boolean} whether it holds the stand-in, all of it and nothing else */
export function isWhole(folder) {
  if (whole.has(folder)) return true;
  if (sizeOf(join(folder, 'electron')) === undefined || firstDifference(folder) !== undefined) return false;
  whole.add(folder);
  return true;
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string | undefined} the executable, when it is there whole
 */
export function findStandIn(environment) {
  if (!standInExists()) return undefined;
  const folder = standInFolder(environment);
  return isWhole(folder) ? join(folder, 'electron') : undefined;
}
