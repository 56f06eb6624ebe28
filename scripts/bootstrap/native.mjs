// @ts-check
/** Native code: builds the PKCS#11 addon for Node 24, and sees once that the runtime and every addon load. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { addToStamp, paths, readStamp, sizeOf, wanted } from './copy.mjs';
import { explain, Failure, lastWords } from './failure.mjs';
import { NPM_FAULTS, runNpm } from './npm.mjs';
import { theRuntime } from './runtime.mjs';
import { say } from './say.mjs';
import { runTool } from './tool.mjs';

const ADDON = 'pkcs11js';
const addonFolder = () => join(paths.modules, ADDON, 'build');
const addonFile = () => join(addonFolder(), 'Release', 'pkcs11.node');

/** What is loaded to see that it loads. Those that only map a library at their first use are made to use it. */
const LOADS = {
  [ADDON]: `new (require('pkcs11js').PKCS11)()`,
  koffi: `require('koffi').sizeof('int')`,
  'better-sqlite3': `new (require('better-sqlite3'))(':memory:').prepare('select 1').get()`,
  libsql: `new (require('libsql'))(':memory:').prepare('select 1').get()`,
};

/** @param {string} name */
const isWanted = (name) => wanted().dependencies.includes(name);

/** Whether the addon has still to be built, which is what the compiler is needed for. */
export const addonIsMissing = () => isWanted(ADDON) && !sizeOf(addonFile());

/** Sizes of what was seen to load, or would be. */
const sizes = () => ({ runtime: theRuntime().size, addon: sizeOf(addonFile()) ?? 0 });

/** Cheap: asked at every start. */
export function nativeIsReady() {
  const { verified } = readStamp();
  return verified?.runtime === sizes().runtime && verified.addon === sizes().addon && !addonIsMissing();
}

/**
 * The compiler's command lines come from make, which does not quote the headers' folder: a path with spaces in it
 * gets a plain name for the length of the build.
 * @param {string} folder
 * @returns {{ name: string, remove(): void }}
 */
function withoutSpaces(folder) {
  const isPlain = (/** @type {string} */ path) => /^[\w./+@-]+$/.test(path);
  if (process.platform === 'win32' || isPlain(folder)) return { name: folder, remove: () => {} };
  const temporary = mkdtempSync(join(isPlain(tmpdir()) ? tmpdir() : '/tmp', 'kaika-'));
  const name = join(temporary, 'node');
  symlinkSync(folder, name);
  return { name, remove: () => rmSync(temporary, { recursive: true, force: true }) };
}

/** @param {import('./tool.mjs').Context} context @throws {Failure | import('./failure.mjs').Interrupted} */
async function buildAddon(context) {
  const { node, folder } = theRuntime();
  const headers = folder === undefined ? undefined : withoutSpaces(folder);
  const label = 'Building the PKCS#11 addon';
  say(`${label} with this machine's C++ compiler; nothing is downloaded.`);
  try {
    const { status, output } = await runNpm(
      ['rebuild', ADDON, '--ignore-scripts=false', '--foreground-scripts'],
      context,
      {
        label,
        // Node 24 first, so that node-gyp runs on it also where npm left out its link; and its headers, if there are any.
        env: {
          PATH: `${dirname(node)}${delimiter}${process.env['PATH'] ?? ''}`,
          ...(headers ? { npm_config_nodedir: headers.name } : {}),
        },
      },
    );
    if (status === 0 && sizeOf(addonFile())) return;
    const why =
      explain(NPM_FAULTS, output, '').cause === 'full'
        ? 'The disk is full: free 50 MB for the PKCS#11 addon and run the command again'
        : `The PKCS#11 addon could not be built (${lastWords(output)}): it needs a C++ compiler, make and Python 3`;
    throw new Failure(`${why}; everything that was said is in ${context.log.path}.`);
  } catch (error) {
    rmSync(addonFolder(), { recursive: true, force: true });
    throw error;
  } finally {
    headers?.remove();
  }
}

/**
 * @param {import('./tool.mjs').Context} context
 * @returns {Promise<string | undefined>} what is wrong with the runtime
 */
async function runtimeFault(context) {
  const { node } = theRuntime();
  const { status, output } = await runTool(node, ['--version'], context, { name: 'Node', cwd: paths.root });
  return status === 0 && /^v2[4-9]|^v[3-9]\d/.test(output.trim())
    ? undefined
    : `Node 24 (${lastWords(output)})`;
}

/**
 * @param {import('./tool.mjs').Context} context
 * @returns {Promise<string | undefined>} the name of the addon that does not load, and why
 */
async function firstThatFails(context) {
  const { node } = theRuntime();
  for (const [name, code] of Object.entries(LOADS)) {
    if (!isWanted(name)) continue;
    const { status, output } = await runTool(node, ['--eval', code], context, {
      name: 'Node',
      cwd: paths.root,
    });
    if (status !== 0) return `${name} (${lastWords(output)})`;
  }
  return undefined;
}

/**
 * Builds and checks; forgets what does not work, so that the next run makes it anew.
 * @param {import('./tool.mjs').Context} context
 * @throws {Failure | import('./failure.mjs').Interrupted}
 */
export async function prepareNative(context) {
  if (nativeIsReady()) return;
  let failing = await runtimeFault(context);
  if (!failing) {
    if (addonIsMissing()) await buildAddon(context);
    failing = await firstThatFails(context);
    if (failing?.startsWith(ADDON)) {
      // Built by hand for another Node, or cut short: building is quick, so do it once more.
      rmSync(addonFolder(), { recursive: true, force: true });
      await buildAddon(context);
      failing = await firstThatFails(context);
    }
  }
  if (failing) {
    rmSync(paths.stamp, { force: true });
    rmSync(join(paths.modules, '.package-lock.json'), { force: true });
    throw new Failure(
      `${failing} does not run on this machine: run the command again to fetch it anew; if that does not help, ` +
        `see ${context.log.path}.`,
    );
  }
  addToStamp({ verified: sizes() });
}
