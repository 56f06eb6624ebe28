/** What is built, as Vite wants to hear it: three programs for Node 20 inside Electron, and the window's page for Chrome 130. */
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { paths } from '../bootstrap/copy.mjs';

/** Of Electron 33, the oldest that is run (scripts/electron/stand-in/known.mjs). Bundlers lower syntax and polyfill nothing. */
const NODE = 'node20';
const CHROME = 'chrome130';

/** Addons and what loads them; everything else is in the bundle. */
export const NATIVE = ['koffi', 'libsql'];

/** Tells which files of ours and which packages went into which file. */
function listModules(into) {
  return {
    name: 'kaika-list-modules',
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        into[chunk.fileName] = chunk.moduleIds
          .map((id) => id.replace(/^\0/, '').split('?')[0])
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

const shared = { configFile: false, logLevel: 'warn', envDir: false, publicDir: false };

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

/**
 * @param {string} folder where the app is made
 * @param {Record<string, string[]>} modules filled with what went where
 */
export function programs(folder, modules) {
  return [
    program('electron/main/index.ts', 'main', folder, modules, ['electron']),
    program('electron/preload.ts', 'preload', folder, modules, ['electron']),
    program('electron/engine/index.ts', 'engine', folder, modules, NATIVE),
    page(folder, modules),
  ];
}
