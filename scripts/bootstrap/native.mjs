/** Native code: builds the PKCS#11 addon for Node 24, and sees once that the runtime and every addon load. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { addToStamp, paths, readStamp, sizeOf, wanted } from './copy.mjs';
import { Failure, Interrupted, lastWords, npmCause } from './failure.mjs';
import { findNpm, npmEnvironment } from './packages.mjs';
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

const isWanted = (name) => wanted().dependencies.includes(name);

/** Whether the addon has still to be built, which is what the compiler is needed for. */
export const addonIsMissing = () => isWanted(ADDON) && !sizeOf(addonFile());

/** Cheap: asked at every start. Sizes stand for "still the files that were seen to work". */
export function nativeIsReady() {
  const { verified } = readStamp();
  if (!verified) return false;
  return (
    verified.runtime === theRuntime().size && (!isWanted(ADDON) || verified.addon === sizeOf(addonFile()))
  );
}

/**
 * The compiler's command lines come from make, which does not quote the headers' folder: a path with spaces in it
 * gets a plain name for the length of the build.
 * @returns {{ folder: string, remove(): void }}
 */
function withoutSpaces(folder) {
  if (process.platform === 'win32' || /^[\w./+@-]+$/.test(folder)) return { folder, remove: () => {} };
  const temporary = mkdtempSync(join(/^[\w./+@-]+$/.test(tmpdir()) ? tmpdir() : '/tmp', 'kaika-'));
  const link = join(temporary, 'node');
  symlinkSync(folder, link);
  return { folder: link, remove: () => rmSync(temporary, { recursive: true, force: true }) };
}

/** Node 24 first, so that node-gyp runs on it also where npm left out its link; and its headers, if there are any. */
function buildEnvironment({ node }, headers) {
  return npmEnvironment({
    PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
    ...(headers ? { npm_config_nodedir: headers } : {}),
  });
}

async function buildAddon({ log, lock }) {
  const npm = findNpm();
  const runtime = theRuntime();
  const headers = runtime.folder && withoutSpaces(runtime.folder);
  const label = 'Building the PKCS#11 addon';
  say(`${label} with this machine's C++ compiler; nothing is downloaded.`);
  try {
    const { status, output } = await runTool(
      npm[0],
      [...npm.slice(1), 'rebuild', ADDON, '--ignore-scripts=false', '--foreground-scripts'],
      {
        name: 'npm',
        label,
        cwd: paths.root,
        env: buildEnvironment(runtime, headers?.folder),
        log,
        lock,
      },
    );
    if (status === 0 && sizeOf(addonFile())) return;
    if (npmCause(output) === 'full') {
      throw new Failure('The disk is full: free 50 MB for the PKCS#11 addon and run the command again.');
    }
    throw new Failure(
      `The PKCS#11 addon could not be built (${lastWords(output)}): it needs a C++ compiler, make and Python 3; ` +
        `everything that was said is in ${log.path}.`,
    );
  } catch (error) {
    rmSync(addonFolder(), { recursive: true, force: true });
    if (error instanceof Interrupted) say('Removed the half-built addon.');
    throw error;
  } finally {
    headers?.remove();
  }
}

/** @returns {Promise<string | undefined>} what is wrong with the runtime */
async function runtimeFault({ log, lock }) {
  const { node } = theRuntime();
  const { status, output } = await runTool(node, ['--version'], { name: 'Node', cwd: paths.root, log, lock });
  return status === 0 && /^v2[4-9]|^v[3-9]\d/.test(output.trim())
    ? undefined
    : `Node 24 (${lastWords(output)})`;
}

/** @returns {Promise<string | undefined>} the name of the addon that does not load, and why */
async function firstThatFails({ log, lock }) {
  const { node } = theRuntime();
  const options = { name: 'Node', cwd: paths.root, log, lock };
  for (const [name, code] of Object.entries(LOADS)) {
    if (!isWanted(name)) continue;
    const { status, output } = await runTool(node, ['--eval', code], options);
    if (status !== 0) return `${name} (${lastWords(output)})`;
  }
  return undefined;
}

/**
 * Builds and checks; forgets what does not work, so that the next run makes it anew.
 * @throws {Failure | Interrupted}
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
  addToStamp({ verified: { runtime: theRuntime().size, addon: sizeOf(addonFile()) } });
}
