/** The key-operation port over key bytes: the host as it is without an HSM. */
import {
  authenticationCryptogram,
  keyWriteData,
  secureMessagingMac,
} from '../../../app/dialects/fmcos/algorithms.ts';
import type { FmcosKeys } from '../../../app/dialects/fmcos/keys.ts';

export const keyBytes: FmcosKeys<Uint8Array> = {
  cryptogram: (key, challenge) => Promise.resolve(authenticationCryptogram(key, challenge)),
  mac: (key, challenge, message) => Promise.resolve(secureMessagingMac(key, challenge, message)),
  keyWrite: (request) => Promise.resolve(keyWriteData(request)),
};
