/**
 * Which Electron there is, in this order: the one that KAIKA_ELECTRON names, the official one of the electron package, an
 * old one that the npm registry happens to hold. Finding fetches nothing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure } from '../bootstrap/failure.mjs';
import { fallbackElectron, isFallback } from './fallback.mjs';
import { officialElectron } from './official.mjs';

/**
 * @typedef {object} Electron
 * @property {string} path the executable
 * @property {string} folder what electron-builder calls electronDist
 * @property {string | undefined} version as the file beside it says
 * @property {'named' | 'official' | 'fallback'} kind `fallback`: old and not from Electron's makers; to prove things with, never to ship
 */

/** @returns {Electron} what is known of an executable */
function describe(path, kind) {
  // On macOS the executable is inside Electron.app/Contents/MacOS, and the version beside the app.
  const inside = dirname(path);
  const folder = basename(inside) === 'MacOS' ? resolve(inside, '..', '..', '..') : inside;
  const versionFile = join(folder, 'version');
  const version = existsSync(versionFile)
    ? readFileSync(versionFile, 'utf8').trim().replace(/^v/, '')
    : undefined;
  return { path, folder, version, kind: isFallback(folder) ? 'fallback' : kind };
}

/**
 * Cheap: asked at every start.
 * @returns {Electron | undefined}
 * @throws {Failure} when KAIKA_ELECTRON names nothing
 */
export function findElectron(environment = process.env) {
  const named = environment.KAIKA_ELECTRON;
  if (named) {
    if (!existsSync(named)) {
      throw new Failure(`KAIKA_ELECTRON names ${named}, and nothing is there: name an Electron, or nothing.`);
    }
    return describe(resolve(named), 'named');
  }
  const official = officialElectron();
  if (official) return describe(official, 'official');
  const fallback = fallbackElectron(environment);
  return fallback && describe(fallback, 'fallback');
}
