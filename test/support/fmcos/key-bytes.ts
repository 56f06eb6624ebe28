/** The key-operation port over key bytes: the host as it is without an HSM. */
import type { FmcosKeys } from '../../../app/dialects/fmcos/keys.ts';
import { authenticationCryptogram, keyWriteData, secureMessagingMac } from './algorithms.ts';

export const keyBytes: FmcosKeys<Uint8Array> = {
  cryptogram: (key, challenge) => Promise.resolve(authenticationCryptogram(key, challenge)),
  mac: (key, challenge, message) => Promise.resolve(secureMessagingMac(key, challenge, message)),
  keyWrite: (request) => Promise.resolve(keyWriteData(request)),
};
