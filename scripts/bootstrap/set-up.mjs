// @ts-check
/** What a command needs to be there, whether it is, and bringing it about under the lock. */
import { electronIsReady, prepareElectron } from '../electron/prepare.mjs';
import { paths } from './copy.mjs';
import { debianIsReady, installDebianPackages, tellOtherSystems } from './debian.mjs';
import { explainFileError } from './failure.mjs';
import { acquire } from './lock.mjs';
import { nativeIsReady, prepareNative } from './native.mjs';
import { installPackages, packagesAreThere } from './packages.mjs';
import { openLog } from './tool.mjs';

/**
 * @typedef {object} Needs
 * @property {boolean} native the key server's and readers' native code, and Debian's packages for it
 * @property {'person' | 'test' | 'pack'} [window] Electron: before a person, on a screen of the tests' own, or to be packed
 */

/** @param {Needs} needs */
function isReady(needs) {
  // Debian's first: what only the person can do is asked for before anything is waited for or downloaded.
  return (
    debianIsReady(needs) &&
    packagesAreThere() &&
    (!needs.native || nativeIsReady()) &&
    (needs.window === undefined || electronIsReady())
  );
}

/**
 * Sets up what is missing; a fraction of a second when nothing is.
 * @param {Needs} needs
 * @throws {import('./failure.mjs').Failure | import('./failure.mjs').Interrupted}
 */
export async function setUp(needs) {
  if (isReady(needs)) return;
  const lock = await acquire(paths.lock);
  const log = openLog(paths.log);
  try {
    if (isReady(needs)) return;
    const context = { lock, log };
    await installDebianPackages(context, needs);
    if (needs.native) tellOtherSystems();
    await installPackages(context);
    if (needs.native) await prepareNative(context);
    if (needs.window !== undefined) await prepareElectron(context);
  } catch (error) {
    log.write(`${error instanceof Error ? error.stack : error}\n`);
    throw explainFileError(error, 'setting up');
  } finally {
    log.close();
    lock.release();
  }
}
