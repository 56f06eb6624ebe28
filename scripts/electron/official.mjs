// @ts-check
/** The Electron of the electron package: its makers' own build, fetched at the first run where their host can be reached. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fieldOf, paths, readJson, readText } from '../bootstrap/copy.mjs';
import { theRuntime } from '../bootstrap/runtime.mjs';
import { inWords, say } from '../bootstrap/say.mjs';
import { runTool } from '../bootstrap/tool.mjs';

const home = () => join(paths.modules, 'electron');
const versionWanted = () => String(fieldOf(readJson(join(home(), 'package.json')), 'version'));

/** @returns {string | undefined} the executable, when it was fetched whole */
export function officialElectron() {
  const inside = readText(join(home(), 'path.txt'));
  if (!inside || readText(join(home(), 'dist', 'version'))?.replace(/^v/, '') !== versionWanted())
    return undefined;
  const path = join(home(), 'dist', inside);
  return existsSync(path) ? path : undefined;
}

/** A mirror is named as the electron package itself wants it. @param {string} version */
function downloadUrl(version) {
  const { env } = process;
  const mirror =
    env.npm_config_electron_mirror ||
    env.ELECTRON_MIRROR ||
    'https://github.com/electron/electron/releases/download/';
  const folder = env.npm_config_electron_custom_dir || env.ELECTRON_CUSTOM_DIR || `v${version}`;
  return `${mirror}${folder}/electron-v${version}-${process.platform}-${process.arch}.zip`;
}

/**
 * Asks first whether the host answers at all, so that a machine without it waits seconds, not minutes.
 * @param {import('../bootstrap/tool.mjs').Context} context
 * @returns {Promise<boolean>} whether it is there now; why not is in the log
 * @throws {import('../bootstrap/failure.mjs').Interrupted}
 */
export async function fetchOfficial(context) {
  const { node } = theRuntime();
  const options = { cwd: paths.root, env: { ...process.env, NODE_USE_ENV_PROXY: '1' } };
  const version = versionWanted();
  const probe = fileURLToPath(new URL('./probe.mjs', import.meta.url));
  const { status, output } = await runTool(node, [probe, downloadUrl(version)], context, {
    ...options,
    name: 'the probe',
  });
  if (status !== 0) return false;
  const size = Number(output.trim().split('\n').at(-1));
  say(
    `Fetching Electron ${version} from its makers: ${Number.isFinite(size) && size > 0 ? inWords(size) : 'some 120 MB'}, ` +
      'some 300 MB on disk.',
  );
  await runTool(node, [join(home(), 'install.js')], context, {
    ...options,
    name: 'Electron',
    label: 'Fetching Electron',
  });
  return officialElectron() !== undefined;
}
