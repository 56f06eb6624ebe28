// @ts-check
/**
 * `npm run build`: makes out/app, the folder that Electron runs and that is packed. `--if-changed`: only when a source has
 * changed since.
 */
import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fieldOf, paths, readJson, writeJson } from '../bootstrap/copy.mjs';
import { acquire } from '../bootstrap/lock.mjs';
import { say } from '../bootstrap/say.mjs';
import { fingerprint } from './fingerprint.mjs';

const OUT = join(paths.root, 'out');
const APP = join(OUT, 'app');
const STAMP = join(OUT, 'built.json');

/** What the station reads at run time; load files stay with the key server. */
const RESOURCES = ['apps.json', 'profiles'];

/** @param {string} print */
const isFresh = (print) => fieldOf(readJson(STAMP), 'fingerprint') === print;

/** @param {string} folder */
function addManifest(folder) {
  const ours = readJson(join(paths.root, 'package.json'));
  const [version, description, license] = ['version', 'description', 'license'].map((name) =>
    fieldOf(ours, name),
  );
  const manifest = { name: 'kaika', productName: 'Kaika', version, description, license, main: 'main.cjs' };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** @param {string} folder */
function addResources(folder) {
  for (const name of RESOURCES) {
    cpSync(join(paths.root, 'resources', name), join(folder, 'resources', name), { recursive: true });
  }
}

/** @param {string} print */
async function make(print) {
  const { build } = await import('vite');
  const { programs } = await import('./programs.mjs');
  const making = join(OUT, `making-${process.pid}`);
  /** @type {import('./programs.mjs').Modules} */
  const modules = {};
  try {
    mkdirSync(making, { recursive: true });
    for (const config of programs(making, modules)) await build(config);
    addManifest(making);
    addResources(making);
    rmSync(APP, { recursive: true, force: true });
    renameSync(making, APP);
    writeJson(join(OUT, 'modules.json'), modules);
    writeJson(STAMP, { fingerprint: print });
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

const lock = await acquire(join(OUT, 'lock'));
try {
  const print = fingerprint();
  if (!process.argv.includes('--if-changed') || !isFresh(print)) {
    const started = Date.now();
    await make(print);
    say(`The station's window is built (${((Date.now() - started) / 1000).toFixed(1)} s).`);
  }
} finally {
  lock.release();
}
