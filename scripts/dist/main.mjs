// @ts-check
/**
 * `npm run dist`: installers of the station for this system. `--dir`: only the folder that an installer would install, which
 * is what tests start.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { paths, readJson, writeJson } from '../bootstrap/copy.mjs';
import { Failure } from '../bootstrap/failure.mjs';
import { say } from '../bootstrap/say.mjs';
import { findElectron } from '../electron/find.mjs';
import { addNativePackages, fuseCount } from './native.mjs';

const OUT = join(paths.root, 'out');
const PACK = join(OUT, 'pack');
/** The eighth fuse, of Electron 29 and later. */
const FILE_PRIVILEGES = 8;

/** @param {string[]} args */
function run(args) {
  const { status } = spawnSync(process.execPath, args, {
    cwd: paths.root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ELECTRON_BUILDER_DISABLE_BUILD_CACHE: 'true' },
  });
  if (status !== 0)
    throw new Failure('Packing ended before it was done; what was said above tells why.', status ?? 1);
}

/** @param {boolean} onlyFolder @throws {Failure} */
function theElectron(onlyFolder) {
  const electron = findElectron();
  if (!electron) throw new Failure('There is no Electron to pack: run "npm run dist", which fetches one.');
  if (electron.kind === 'stand-in' && !onlyFolder) {
    throw new Failure(
      `The only Electron here is ${electron.version}, old and not from its makers: nothing that is made with it may be given to ` +
        'anybody. Where the makers’ host can be reached the official one is fetched; "npm run dist -- --dir" makes a folder ' +
        'to try things with.',
    );
  }
  if (!electron.version)
    throw new Failure(`${electron.folder} has no file "version": electron-builder has to know it.`);
  return electron;
}

/** The app, its native packages, and a manifest that asks for them. */
function gather() {
  rmSync(PACK, { recursive: true, force: true });
  cpSync(join(OUT, 'app'), PACK, { recursive: true });
  const dependencies = addNativePackages(PACK);
  const manifest = readJson(join(PACK, 'package.json'));
  writeJson(join(PACK, 'package.json'), Object.assign({}, manifest, { dependencies }));
}

/**
 * electron-builder takes the folder as it is, so the stand-in's comes without the app that takes the packed one's place.
 * @param {import('../electron/find.mjs').Electron} electron
 */
function electronDist({ folder, kind }) {
  const copy = join(OUT, 'electron-dist');
  rmSync(copy, { recursive: true, force: true });
  if (kind !== 'stand-in') return folder;
  cpSync(folder, copy, { recursive: true });
  rmSync(join(copy, 'resources', 'default_app.asar'), { force: true });
  mkdirSync(join(copy, 'resources'), { recursive: true });
  return copy;
}

/** @param {string[]} args */
async function main(args) {
  const unknown = args.find((word) => word !== '--dir');
  if (unknown) throw new Failure(`dist knows --dir and nothing else, not ${unknown}.`, 2);
  const onlyFolder = args.includes('--dir');
  const electron = theElectron(onlyFolder);
  run([fileURLToPath(new URL('../build/main.mjs', import.meta.url)), '--if-changed']);
  gather();
  const fuses = (await fuseCount(electron.path)) >= FILE_PRIVILEGES;
  try {
    run([
      join(paths.modules, 'electron-builder', 'cli.js'),
      ...['build', '--publish', 'never', ...(onlyFolder ? ['--dir'] : [])],
      `-c.electronDist=${electronDist(electron)}`,
      `-c.electronVersion=${electron.version}`,
      ...(fuses ? ['-c.electronFuses.grantFileProtocolExtraPrivileges=false'] : []),
    ]);
  } finally {
    for (const made of ['pack', 'electron-dist']) rmSync(join(OUT, made), { recursive: true, force: true });
  }
  say(`The station is packed with Electron ${electron.version}: ${join(paths.root, 'dist')}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  say(error.message);
  process.exitCode = error.exitStatus;
}
