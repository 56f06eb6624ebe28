// @ts-check
/** The native packages that go along with the app: they themselves, and what they need, for this machine's system. */
import { cpSync, existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { getCurrentFuseWire } from '@electron/fuses';
import { fieldOf, paths, readJson } from '../bootstrap/copy.mjs';
import { NATIVE } from '../build/programs.mjs';

/** What runs; the rest of a package is for whoever builds or reads it. */
const RUNS = /(?:\.(?:js|cjs|mjs|json|node)|(?:^|[/\\])LICEN[CS]E[^/\\]*)$/;

/**
 * The folder of a package as `from` sees it; undefined when it is not installed, as other systems' binaries are not.
 * @param {string} name
 * @param {string} from
 */
function find(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const there = join(folder, 'node_modules', name);
    if (existsSync(join(there, 'package.json'))) return there;
    if (folder === dirname(folder)) return undefined;
  }
}

/**
 * Copies them into the app's own node_modules.
 * @param {string} app
 * @returns {Record<string, string>} name and version of the packages that the app asks for
 */
export function addNativePackages(app) {
  const done = new Set();
  const add = (/** @type {string} */ name, /** @type {string} */ from) => {
    if (done.has(name)) return;
    const folder = find(name, from);
    if (!folder) return;
    done.add(name);
    cpSync(folder, join(app, 'node_modules', name), {
      recursive: true,
      dereference: true,
      filter: (path) => {
        const inside = path.slice(folder.length);
        return !inside.includes('node_modules') && (statSync(path).isDirectory() || RUNS.test(inside));
      },
    });
    const manifest = readJson(join(folder, 'package.json'));
    for (const kind of ['dependencies', 'optionalDependencies'])
      for (const needed of Object.keys(fieldOf(manifest, kind) ?? {})) add(needed, folder);
  };
  /** @type {Record<string, string>} */
  const wanted = {};
  for (const name of NATIVE) {
    add(name, paths.root);
    wanted[name] = String(fieldOf(readJson(join(paths.modules, name, 'package.json')), 'version'));
  }
  return wanted;
}

/** @param {string} electron the executable @returns {Promise<number>} how many fuses it has */
export async function fuseCount(electron) {
  return Object.keys(await getCurrentFuseWire(electron)).filter((key) => /^\d+$/.test(key)).length;
}
