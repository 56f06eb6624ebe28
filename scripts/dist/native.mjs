/** The native packages that go along with the app: they themselves, and what they need, for this machine's system. */
import { cpSync, existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { paths, readJson } from '../bootstrap/copy.mjs';
import { NATIVE } from '../build/programs.mjs';

/** What runs; the rest of a package is for whoever builds or reads it. */
const RUNS = /(?:\.(?:js|cjs|mjs|json|node)|(?:^|[/\\])LICEN[CS]E[^/\\]*)$/;

/** The folder of a package as `from` sees it; undefined when it is not installed, as other systems' binaries are not. */
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
  const add = (name, from) => {
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
    const { dependencies, optionalDependencies } = readJson(join(folder, 'package.json'));
    for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) add(needed, folder);
  };
  const wanted = {};
  for (const name of NATIVE) {
    add(name, paths.root);
    wanted[name] = readJson(join(paths.modules, name, 'package.json')).version;
  }
  return wanted;
}

/** @returns {number} how many fuses this Electron has */
export async function fuseCount(electron) {
  const { getCurrentFuseWire } = createRequire(import.meta.url)('@electron/fuses');
  return Object.keys(await getCurrentFuseWire(electron)).filter((key) => /^\d+$/.test(key)).length;
}
