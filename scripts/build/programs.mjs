// @ts-check
/** What is built, as Vite wants to hear it: three programs for Node 20 inside Electron, and the window's page for Chrome 130. */
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { paths } from '../bootstrap/copy.mjs';

/** Of Electron 33, the oldest that is run (scripts/electron/stand-in/known.mjs). Bundlers lower syntax and polyfill nothing. */
const NODE = 'node20';
const CHROME = 'chrome130';

/** Addons and what loads them; everything else is in the bundle. */
export const NATIVE = ['koffi', 'libsql'];

/** @typedef {Record<string, string[]>} Modules which files of ours and which packages went into which file */

/** @param {Modules} into @returns {import('vite').Plugin} */
function listModules(into) {
  return {
    name: 'kaika-list-modules',
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        into[chunk.fileName] = chunk.moduleIds
          .map((id) => id.replace(/^\0|\?.*$/g, ''))
          .filter((id) => id.startsWith(paths.root) || id.includes('/node_modules/'))
          .map((id) =>
            id.startsWith(paths.root)
              ? id.slice(paths.root.length + 1)
              : id.replace(/^.*\/node_modules\//, 'node_modules/'),
          )
          .sort();
      }
    },
  };
}

/** @type {import('vite').InlineConfig} */
const shared = { configFile: false, logLevel: 'warn', envDir: false, publicDir: false };

/**
 * @param {string} entry
 * @param {string} name
 * @param {string} folder
 * @param {Modules} modules
 * @param {string[]} external what is not bundled
 * @returns {import('vite').InlineConfig}
 */
function program(entry, name, folder, modules, external) {
  return {
    ...shared,
    root: paths.root,
    plugins: [listModules(modules)],
    ssr: { noExternal: true, external, target: 'node' },
    build: {
      ssr: join(paths.root, entry),
      outDir: folder,
      emptyOutDir: false,
      target: NODE,
      minify: false,
      sourcemap: false,
      rolldownOptions: {
        external,
        output: { format: 'cjs', entryFileNames: `${name}.cjs`, chunkFileNames: `${name}-[name].cjs` },
      },
    },
  };
}

/** @param {string} folder @param {Modules} modules @returns {import('vite').InlineConfig} */
function page(folder, modules) {
  return {
    ...shared,
    root: join(paths.root, 'renderer'),
    base: '/',
    plugins: [react(), listModules(modules)],
    build: {
      outDir: join(folder, 'renderer'),
      emptyOutDir: true,
      target: CHROME,
      cssTarget: CHROME,
      // The policy allows no data: addresses.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      sourcemap: false,
      chunkSizeWarningLimit: 2000,
    },
  };
}

/** @param {string} folder where the app is made @param {Modules} modules filled with what went where */
export function programs(folder, modules) {
  return [
    program('electron/main/index.ts', 'main', folder, modules, ['electron']),
    program('electron/preload.ts', 'preload', folder, modules, ['electron']),
    program('electron/engine/index.ts', 'engine', folder, modules, NATIVE),
    page(folder, modules),
  ];
}
