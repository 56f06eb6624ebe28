// @ts-check
/**
 * Which Electron there is, in this order: the one that KAIKA_ELECTRON names, the official one of the electron package, the
 * one that stands in for it in tests and in the demo. Finding fetches nothing.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readText, sizeOf } from '../bootstrap/copy.mjs';
import { Failure } from '../bootstrap/failure.mjs';
import { officialElectron } from './official.mjs';
import { findStandIn, isWhole } from './stand-in/check.mjs';
import { FILES, SOURCE } from './stand-in/known.mjs';

/**
 * @typedef {object} Electron
 * @property {string} path the executable
 * @property {string} folder what electron-builder calls electronDist
 * @property {string | undefined} version as the file beside it says
 * @property {'named' | 'official' | 'stand-in'} kind `stand-in`: old and not from Electron's makers; to prove things with, never to ship
 */

/** @param {string} path @param {Electron['kind']} kind @returns {Electron} */
function describe(path, kind) {
  // On macOS the executable is inside Electron.app/Contents/MacOS, and the version beside the app.
  const inside = dirname(path);
  const folder = basename(inside) === 'MacOS' ? resolve(inside, '..', '..', '..') : inside;
  return { path, folder, version: readText(join(folder, 'version'))?.replace(/^v/, ''), kind };
}

/**
 * The stand-in may be named too, as a copy of it; what it is good for stays the same, and it is checked likewise.
 * @param {string} path
 * @returns {Electron}
 * @throws {Failure}
 */
function describeNamed(path) {
  if (!existsSync(path)) {
    throw new Failure(`KAIKA_ELECTRON names ${path}, and nothing is there: name an Electron, or nothing.`);
  }
  const named = describe(resolve(path), 'named');
  // Either of the two is enough: a damaged executable has another size, and still says its version.
  const isOther = sizeOf(named.path) !== FILES['electron']?.size && named.version !== SOURCE.version;
  if (isOther) return named;
  if (isWhole(named.folder)) return { ...named, kind: 'stand-in' };
  throw new Failure(
    `KAIKA_ELECTRON names ${path}, which says that it is the Electron for tests and demonstration (${SOURCE.version}), and differs ` +
      'from it: name another, or nothing.',
  );
}

/**
 * Asked at every start. Takes a part of a second where the stand-in serves, because all of it is hashed.
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Electron | undefined}
 * @throws {Failure} when KAIKA_ELECTRON names nothing, or a stand-in that was changed
 */
export function findElectron(environment = process.env) {
  const named = environment['KAIKA_ELECTRON'];
  if (named) return describeNamed(named);
  const official = officialElectron();
  if (official) return describe(official, 'official');
  const standIn = findStandIn(environment);
  return standIn === undefined ? undefined : describe(standIn, 'stand-in');
}
