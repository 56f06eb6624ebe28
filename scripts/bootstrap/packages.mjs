/** The npm packages, the Node 24 runtime among them: `npm ci`, without their install scripts. */
import { existsSync, lstatSync, rmSync, statfsSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { addToStamp, paths, readJson, readStamp, wanted } from './copy.mjs';
import { explainFileError, Failure, lastWords, npmCause } from './failure.mjs';
import { findRuntime, refuseUnknownMachine } from './runtime.mjs';
import { inWords, say } from './say.mjs';
import { runTool } from './tool.mjs';

/** Measured with an empty npm cache on Linux x64. */
const DOWNLOAD = 260e6;
const UNPACKED = 640e6;
/** npm keeps a copy of the download in its cache; usually that is the same disk. */
const ROOM = UNPACKED + DOWNLOAD;

/** Every package.json that the manifest asks for, and the runtime: what an interrupted install leaves out. */
function isWhole(dependencies) {
  return (
    dependencies.every((name) => existsSync(join(paths.modules, name, 'package.json'))) &&
    findRuntime() !== undefined
  );
}

/**
 * npm writes its own record of node_modules last. One that equals the lock was installed whole by somebody else
 * (`npm ci`, `npm install`) and need not be fetched again.
 */
function isInstalledByHand() {
  const asked = readJson(paths.packageLock)?.packages;
  const there = readJson(join(paths.modules, '.package-lock.json'))?.packages;
  if (!asked || !there) return false;
  const same = (path) =>
    there[path]?.version === asked[path]?.version && there[path]?.integrity === asked[path]?.integrity;
  return (
    Object.keys(there).every(same) &&
    Object.entries(asked).every(([path, entry]) => path === '' || entry.optional || same(path))
  );
}

/** Cheap: asked at every start. */
export function packagesAreThere() {
  const { packages, runtime } = readStamp();
  return packages === true && isWhole(wanted().dependencies) && findRuntime()?.size === runtime;
}

/** The npm that runs us, else the one on the PATH, else the one that came with this Node. */
export function findNpm() {
  const running = process.env.npm_execpath;
  if (running && /^np[mx]-cli\.[cm]?js$/.test(basename(running)) && existsSync(running)) {
    return [process.execPath, join(dirname(running), 'npm-cli.js')];
  }
  const beside = dirname(process.execPath);
  const bundled = [
    join(beside, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(beside, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ].find((path) => existsSync(path));
  // Windows' npm.cmd cannot be started without a shell.
  const onPath =
    process.platform !== 'win32' &&
    (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'npm')));
  if (onPath) return ['npm'];
  if (bundled) return [process.execPath, bundled];
  throw new Failure(
    'npm was not found: install it (it comes with Node from nodejs.org) and run the command again.',
  );
}

/** The environment for npm, without what an outer npm says about the script it is running. */
export function npmEnvironment(extra = {}) {
  const env = { ...process.env };
  for (const name of Object.keys(env)) {
    if (/^npm_(lifecycle|package)_/.test(name)) delete env[name];
  }
  return { ...env, NO_COLOR: '1', ...extra };
}

function checkRoom() {
  let free;
  try {
    const { bavail, bsize } = statfsSync(paths.root);
    free = bavail * bsize;
  } catch {
    return;
  }
  if (free < UNPACKED) throw diskFull(free);
}

function diskFull(free) {
  const left = free === undefined ? '' : `, and ${inWords(free)} are free`;
  return new Failure(
    `Not enough room on the disk: the npm packages need about ${inWords(ROOM)} in ${paths.root} and npm's cache${left}. ` +
      'Free some and run the command again.',
  );
}

function sentenceFor(cause, { status, output }, log) {
  const registry = 'the npm registry';
  switch (cause) {
    case 'full':
      return diskFull(undefined);
    case 'broken':
      return new Failure(`The download from ${registry} arrived damaged twice: run the command again later.`);
    case 'readonly':
      return new Failure(
        `npm may not write where it must (${lastWords(output)}): make ${paths.root} and npm's cache folder your own ` +
          'and run the command again.',
      );
    case 'certificate':
      return new Failure(
        `The certificate of ${registry} is not trusted here: if a proxy stands in between, name its certificate in ` +
          'NODE_EXTRA_CA_CERTS and run the command again.',
      );
    case 'network':
      return new Failure(
        `The npm registry could not be reached: check the network (and npm's proxy setting) and run the command again.`,
      );
    case 'refused':
      return new Failure(
        `The npm registry refused the download (${lastWords(output)}): check npm's registry setting.`,
      );
    case 'unknown package':
      return new Failure(
        `The npm registry does not have a package that is needed (${lastWords(output)}): check npm's registry setting.`,
      );
    case 'out of step':
      return new Failure(
        'package.json and package-lock.json do not fit each other: undo your changes to them, or run "npm install" ' +
          `if they are meant. npm's own words are in ${log.path}.`,
      );
    default:
      return status === 127
        ? new Failure('npm was not found: install it and run the command again.')
        : new Failure(
            `npm could not install the packages (${lastWords(output)}): run the command again; ` +
              `everything that npm said is in ${log.path}.`,
          );
  }
}

function removeHalfMade() {
  say('Removing the half-made node_modules.');
  try {
    rmSync(paths.modules, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // Without the stamp the next run begins anew in any case.
  }
}

/** npm ci empties what node_modules links to, and that may be what others work with. */
function refuseLink() {
  if (lstatSync(paths.modules, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw new Failure(
    'node_modules is a link to another folder, and what is there does not fit this copy: nothing was installed, because ' +
      'that would empty the other folder. Remove the link and run the command again, or install there.',
  );
}

/**
 * Installs what is missing.
 * @param {{ log: object, lock: object }} context
 * @throws {Failure | Interrupted}
 */
export async function installPackages({ log, lock }) {
  if (packagesAreThere()) return;
  const { dependencies } = wanted();
  if (readStamp().packages !== true && isWhole(dependencies) && isInstalledByHand()) {
    addToStamp({ packages: true, runtime: findRuntime()?.size });
    return;
  }
  refuseLink();
  refuseUnknownMachine();
  checkRoom();
  say(
    `Fetching the npm packages and the Node 24 runtime from the npm registry: about ${inWords(DOWNLOAD)}, ` +
      `${inWords(UNPACKED)} on disk.`,
  );
  const npm = findNpm();
  const install = (...more) =>
    runTool(
      npm[0],
      [
        ...npm.slice(1),
        ...['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'],
        ...['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=8000', ...more],
      ],
      {
        name: 'npm',
        label: 'Installing npm packages',
        cwd: paths.root,
        env: npmEnvironment(),
        // A file that could not be unpacked whole (full disk) is only a warning to npm, which then ends with status 0.
        alarm: /TAR_ENTRY_ERROR/,
        log,
        lock,
      },
    );
  const started = Date.now();
  try {
    rmSync(paths.stamp, { force: true });
    let result = await install('--prefer-offline');
    const damaged = result.status !== 0 && npmCause(result.output) === 'broken';
    if (damaged || (result.status === 0 && !isWhole(dependencies))) {
      // An empty cache of our own for once: nothing damaged can come out of it. npm passes over a runtime package
      // that it could not fetch, so that its success alone proves nothing.
      say('The download arrived damaged; fetching it once more.');
      result = await install('--cache', paths.cache, '--prefer-online');
    }
    if (result.status !== 0) throw sentenceFor(npmCause(result.output), result, log);
    if (!isWhole(dependencies)) {
      throw new Failure(
        'Some npm packages did not arrive (the Node 24 runtime or others): run the command again.',
      );
    }
    addToStamp({ packages: true, runtime: findRuntime()?.size });
  } catch (error) {
    removeHalfMade();
    throw explainFileError(error, 'installing npm packages');
  } finally {
    rmSync(paths.cache, { recursive: true, force: true });
  }
  say(`The npm packages are installed (${Math.round((Date.now() - started) / 1000)} s).`);
}
