// @ts-check
/** This copy of Kaika: where things are in it. Everything set-up needs to know of the folder is asked here. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from './failure.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export const paths = {
  root,
  modules: join(root, 'node_modules'),
  /** What V8 made of our programs' sources; Node looks after it (module.enableCompileCache). */
  codeCache: join(root, 'node_modules', '.kaika-code-cache'),
  lock: join(root, 'scripts', '.state', 'lock'),
  log: join(root, 'scripts', '.state', 'set-up.log'),
  cache: join(root, 'scripts', '.state', 'npm-cache'),
  /** When Debian's packages were tried in vain, so that a start without network stays quick. */
  debianTried: join(root, 'scripts', '.state', 'debian-tried.json'),
  /** When the official Electron was tried in vain, likewise. */
  electronTried: join(root, 'scripts', '.state', 'electron-tried.json'),
  /** Inside node_modules, so that deleting that folder is enough to start afresh. */
  stamp: join(root, 'node_modules', '.kaika-set-up.json'),
  packageLock: join(root, 'package-lock.json'),
};

/** A small text file, or undefined when it is not there. @param {string} path */
export function readText(path) {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/**
 * @param {string} path
 * @returns {unknown} what the JSON file holds; undefined when it is not there or not whole
 */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * A field of something that came from outside.
 * @param {unknown} value
 * @param {string} name
 * @returns {unknown} undefined also where `value` is no object
 */
export function fieldOf(value, name) {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** Whole or not at all, also when the process dies in between. @param {string} path @param {unknown} value */
export function writeJson(path, value) {
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, `${JSON.stringify(value, undefined, 2)}\n`);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The size of a file in bytes, undefined when there is none. @param {string} path */
export function sizeOf(path) {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** @returns {{ dependencies: string[], lockHash: string }} what package.json and its lock ask for */
export function wanted() {
  const manifest = readJson(join(root, 'package.json'));
  if (manifest === undefined || !existsSync(paths.packageLock)) {
    throw new Failure('This copy of Kaika is not whole (package.json or package-lock.json): fetch it again.');
  }
  return {
    dependencies: ['dependencies', 'devDependencies'].flatMap((kind) =>
      Object.keys(fieldOf(manifest, kind) ?? {}),
    ),
    lockHash: createHash('sha256').update(readFileSync(paths.packageLock)).digest('hex'),
  };
}

const machine = `${process.platform} ${process.arch}`;

/**
 * What set-up has done to node_modules. Sizes stand for "still the files that were seen to work".
 * @typedef {object} Stamp
 * @property {number} [runtime] size of the Node 24 that came with the packages; there once all of them were installed
 * @property {{ runtime: number, addon: number }} [verified] sizes of what was seen to load
 */

/** @returns {Stamp} {} when it belongs to another lock file or another kind of machine */
export function readStamp() {
  const stamp = readJson(paths.stamp);
  if (fieldOf(stamp, 'lockHash') !== wanted().lockHash || fieldOf(stamp, 'machine') !== machine) return {};
  const runtime = fieldOf(stamp, 'runtime');
  const verified = fieldOf(stamp, 'verified');
  return {
    ...(typeof runtime === 'number' ? { runtime } : {}),
    ...(verified === undefined
      ? {}
      : {
          verified: {
            runtime: Number(fieldOf(verified, 'runtime')),
            addon: Number(fieldOf(verified, 'addon')),
          },
        }),
  };
}

/** Written after the thing that it says is done. @param {Stamp} facts */
export function addToStamp(facts) {
  writeJson(paths.stamp, { ...readStamp(), lockHash: wanted().lockHash, machine, ...facts });
}
