/**
 * A test's own process as one file. Node looks up, reads and links some 800 modules to start a server, which is more than half of such a start;
 * a test that kills a server a hundred times would spend its time on that.
 */
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'vite';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Below the packages' folder's parent, so that what is not bundled is found. */
const FOLDER = join(ROOT, 'out', 'test-processes');

/** Packages that come with an addon, or look for one. */
const ADDONS = ['better-sqlite3', 'graphene-pk11', 'koffi', 'libsql', 'pkcs11js', 'pg-native'];

/** Every module keeps the address that it has as a file: by it it finds its resources and the processes it starts. */
const OWN_ADDRESSES: Plugin = {
  name: 'own-addresses',
  transform(code, id) {
    if (!id.startsWith(ROOT) || !code.includes('import.meta.url')) return null;
    return { code: code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)), map: null };
  },
};

/** Bundles a module with everything it loads but packages with addons. Gives the file. One test file at a time bundles one entry. */
export function bundled(entry: URL): Promise<string> {
  const file = fileURLToPath(entry);
  const made = MADE.get(file) ?? bundle(file);
  MADE.set(file, made);
  return made;
}

const MADE = new Map<string, Promise<string>>();

async function bundle(file: string): Promise<string> {
  const folder = join(FOLDER, basename(file, '.ts'));
  await build({
    configFile: false,
    logLevel: 'warn',
    envDir: false,
    publicDir: false,
    root: ROOT,
    plugins: [OWN_ADDRESSES],
    ssr: { noExternal: true, external: ADDONS, target: 'node' },
    build: {
      ssr: file,
      outDir: folder,
      emptyOutDir: true,
      target: 'node24',
      minify: false,
      rolldownOptions: {
        external: ADDONS,
        output: { format: 'esm', entryFileNames: '[name].mjs', codeSplitting: false },
      },
    },
  });
  return join(folder, `${basename(file, '.ts')}.mjs`);
}
