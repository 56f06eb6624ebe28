/**
 * The programs that tests start as processes of their own, each as a file. Node looks up, reads and links some 800 modules to start a server, which is
 * more than half of such a start, and the tests start some thousand processes. `npm start` runs the sources, and so do
 * test/demo/headless.test.ts and test/e2e/start.test.ts once each.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'vite';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Beside the packages' folder, so that what is not bundled is found. */
const FOLDER = join(ROOT, 'out', 'test-processes');

const PROGRAMS = [
  'app/demo/main.ts',
  'app/keyserver/main.ts',
  'app/keyserver/vault/process/admin-main.ts',
  'app/keyserver/vault/process/main.ts',
  'app/simulator/card-file.ts',
  'app/simulator/cli/main.ts',
  'app/simulator/dialogue/replay-file.ts',
  'app/simulator/rig/main.ts',
  'test/support/dying-server-child.ts',
  'test/support/dying-server.ts',
  'test/support/full-disk-child.ts',
  'test/support/second-dialect/vault-process.ts',
  'test/support/station-child.ts',
];

/** Packages that come with an addon, or look for one. */
const ADDONS = ['better-sqlite3', 'graphene-pk11', 'koffi', 'libsql', 'pkcs11js', 'pg-native'];

/** How a module names the file of a program that it starts. */
const ADDRESS = /new URL\(\s*'([^']+\.ts)',\s*import\.meta\.url,?\s*\)/g;

/** Has the tests, and what they start, start the programs that `bundlePrograms` made. */
export function fromBundles(): Plugin {
  return {
    name: 'programs-from-bundles',
    enforce: 'pre',
    transform(code, id) {
      if (!id.startsWith(ROOT) || !code.includes('import.meta.url')) return null;
      const redirected = code.replace(ADDRESS, (whole, path: string) => {
        const program = PROGRAMS.find((one) => join(ROOT, one) === resolve(dirname(id), path));
        return program === undefined
          ? whole
          : `new URL(${JSON.stringify(pathToFileURL(join(FOLDER, nameOf(program))).href)})`;
      });
      return redirected === code ? null : { code: redirected, map: null };
    },
  };
}

/** In a bundle every module keeps the address that it has as a file: by it it finds its resources. */
const OWN_ADDRESSES: Plugin = {
  name: 'own-addresses',
  transform(code, id) {
    if (!id.startsWith(ROOT) || !code.includes('import.meta.url')) return null;
    return { code: code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)), map: null };
  },
};

/** Bundles the programs with everything that they load but packages with addons, unless that is done for the sources as they are. */
export async function bundlePrograms(): Promise<void> {
  const stamp = join(FOLDER, 'sources');
  const now = sourcesNow();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return;
  await build({
    configFile: false,
    logLevel: 'warn',
    envDir: false,
    publicDir: false,
    root: ROOT,
    plugins: [fromBundles(), OWN_ADDRESSES],
    ssr: { noExternal: true, external: ADDONS, target: 'node' },
    build: {
      ssr: true,
      outDir: FOLDER,
      emptyOutDir: true,
      target: 'node24',
      minify: false,
      rolldownOptions: {
        input: Object.fromEntries(PROGRAMS.map((one) => [one.replace(/\.ts$/, ''), join(ROOT, one)])),
        external: ADDONS,
        preserveEntrySignatures: 'exports-only',
        output: { format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: 'shared/[hash].mjs' },
      },
    },
  });
  writeFileSync(stamp, now);
}

const nameOf = (program: string) => program.replace(/\.ts$/, '.mjs');

/** Changes with every source that a program may be made of. */
function sourcesNow(): string {
  const hash = createHash('sha256');
  for (const folder of ['app', 'test/support'])
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const { size, mtimeMs } = statSync(join(entry.parentPath, entry.name));
      hash.update(`${entry.parentPath}/${entry.name} ${size} ${mtimeMs}\n`);
    }
  const { size, mtimeMs } = statSync(join(ROOT, 'package-lock.json'));
  return hash.update(`${size} ${mtimeMs}`).digest('hex');
}
