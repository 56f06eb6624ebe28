/** What a command needs to be there, whether it is, and bringing it about under the lock. */
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
 * @property {boolean} [testing] also Debian's packages that only tests and benches need
 */

function isReady({ native, testing = false }) {
  // Debian's first: what only the person can do is asked for before anything is waited for or downloaded.
  return (!native || debianIsReady(testing)) && packagesAreThere() && (!native || nativeIsReady());
}

/**
 * Sets up what is missing; a fraction of a second when nothing is.
 * @param {Needs} needs
 * @throws {Failure | Interrupted}
 */
export async function setUp(needs) {
  if (isReady(needs)) return;
  const lock = await acquire(paths.lock);
  const log = openLog(paths.log);
  try {
    if (isReady(needs)) return;
    const context = { lock, log };
    if (needs.native) {
      await installDebianPackages(context, needs.testing);
      tellOtherSystems();
    }
    await installPackages(context);
    if (needs.native) await prepareNative(context);
  } catch (error) {
    log.write(`${error?.stack ?? error}\n`);
    throw explainFileError(error, 'setting up');
  } finally {
    log.close();
    lock.release();
  }
}
