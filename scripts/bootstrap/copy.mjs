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

/** A JSON file, or undefined when it is not there or not whole. */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whole or not at all, also when the process dies in between. */
export function writeJson(path, value) {
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, `${JSON.stringify(value, undefined, 2)}\n`);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The size of a file, undefined when there is none. */
export function sizeOf(path) {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** @returns {{ dependencies: string[], lockHash: string }} what package.json and its lock ask for */
export function wanted() {
  const manifest = readJson(join(root, 'package.json'));
  if (!manifest || !existsSync(paths.packageLock)) {
    throw new Failure('This copy of Kaika is not whole (package.json or package-lock.json): fetch it again.');
  }
  return {
    dependencies: Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }),
    lockHash: createHash('sha256').update(readFileSync(paths.packageLock)).digest('hex'),
  };
}

/** What is known of node_modules for this machine; {} when it belongs to another lock or another kind of machine. */
export function readStamp() {
  const stamp = readJson(paths.stamp);
  const { lockHash } = wanted();
  const fits = stamp?.lockHash === lockHash && stamp.machine === `${process.platform} ${process.arch}`;
  return fits ? stamp : {};
}

/** Adds to the stamp. Written after the thing that it says is done. */
export function addToStamp(facts) {
  const { lockHash } = wanted();
  writeJson(paths.stamp, {
    ...readStamp(),
    lockHash,
    machine: `${process.platform} ${process.arch}`,
    ...facts,
  });
}
