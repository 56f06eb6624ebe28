// @ts-check
/** npm itself: where it is, what environment it gets, and what its ways to fail mean. */
import { existsSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { paths } from './copy.mjs';
import { Failure } from './failure.mjs';
import { runTool } from './tool.mjs';

/** @returns {[string, ...string[]]} the npm that runs us, else the one on the PATH, else the one that came with this Node */
function findNpm() {
  const running = process.env['npm_execpath'];
  if (running && /^np[mx]-cli\.[cm]?js$/.test(basename(running)) && existsSync(running)) {
    return [process.execPath, join(dirname(running), 'npm-cli.js')];
  }
  // Windows' npm.cmd cannot be started without a shell.
  const folders = process.platform === 'win32' ? [] : (process.env['PATH'] ?? '').split(delimiter);
  if (folders.some((folder) => existsSync(join(folder, 'npm')))) return ['npm'];
  const beside = dirname(process.execPath);
  const bundled = [join(beside, 'node_modules'), join(beside, '..', 'lib', 'node_modules')]
    .map((folder) => join(folder, 'npm', 'bin', 'npm-cli.js'))
    .find((path) => existsSync(path));
  if (bundled) return [process.execPath, bundled];
  throw new Failure(
    'npm was not found: install it (it comes with Node from nodejs.org) and run the command again.',
  );
}

/**
 * @param {string[]} args
 * @param {import('./tool.mjs').Context} context
 * @param {{ label: string, cwd?: string, env?: NodeJS.ProcessEnv, alarm?: RegExp }} options `env`: beside our own
 */
export function runNpm(args, context, { label, cwd = paths.root, env = {}, alarm }) {
  const [command, ...before] = findNpm();
  // Without what an outer npm says about the script that it is running.
  const ours = Object.entries(process.env).filter(([name]) => !/^npm_(lifecycle|package)_/.test(name));
  return runTool(command, [...before, ...args], context, {
    name: 'npm',
    label,
    cwd,
    env: { ...Object.fromEntries(ours), NO_COLOR: '1', ...env },
    ...(alarm ? { alarm } : {}),
  });
}

/** @type {readonly import('./failure.mjs').Fault[]} */
export const NPM_FAULTS = [
  {
    cause: 'full',
    pattern: /ENOSPC|no space left on device|EDQUOT/i,
    sentence: () => 'The disk is full: free some room',
  },
  {
    cause: 'broken',
    pattern:
      /EINTEGRITY|integrity checksum failed|TAR_BAD_ARCHIVE|zlib: unexpected end|Z_BUF_ERROR|Z_DATA_ERROR/,
    sentence: () => 'The download from the npm registry arrived damaged twice: wait a while',
  },
  {
    cause: 'readonly',
    pattern: /\bEACCES\b|\bEROFS\b|\bEPERM\b/,
    sentence: (words) =>
      `npm may not write where it must (${words}): make ${paths.root} and npm's cache folder your own`,
  },
  {
    cause: 'certificate',
    pattern: /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY)|CERT_HAS_EXPIRED|DEPTH_ZERO_SELF_SIGNED/,
    sentence: () =>
      'The certificate of the npm registry is not trusted here: if a proxy stands in between, name its certificate in ' +
      'NODE_EXTRA_CA_CERTS',
  },
  {
    cause: 'network',
    pattern:
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET|EPROTO|\bE5\d\d\b|FETCH_ERROR|network/,
    sentence: () => "The npm registry could not be reached: check the network (and npm's proxy setting)",
  },
  {
    cause: 'refused',
    pattern: /\bE40[1347]\b|ETARGET|notarget/,
    sentence: (words) =>
      `The npm registry does not give what is needed (${words}): check npm's registry setting`,
  },
  {
    cause: 'out of step',
    pattern: /in sync|EUSAGE/,
    sentence: () =>
      'package.json and package-lock.json do not fit each other: undo your changes to them, or run "npm install" if they ' +
      'are meant,',
  },
];
