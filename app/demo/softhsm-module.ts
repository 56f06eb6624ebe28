/** Where the machine keeps SoftHSM's PKCS#11 module. */
import { existsSync } from 'node:fs';

const PLACES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
];

/** The module's path; `SOFTHSM2_MODULE` names another one. @throws Error in a sentence for the person at the terminal */
export function findSoftHsm(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment['SOFTHSM2_MODULE'];
  const found = named ?? PLACES.find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error(
      'SoftHSM is not installed on this machine; install SoftHSM 2 (on Debian: softhsm2) and start again.',
    );
  }
  return found;
}
