/** The key operations of FMCOS by the names that the vault has for them. */
import type { KeyOperations } from '../dialect.ts';
import type { CardKeyRef } from '../keys.ts';
import type { FmcosKeys } from './keys.ts';

export function fmcosKeys({ ask }: KeyOperations): FmcosKeys<CardKeyRef> {
  return {
    cryptogram: (key, challenge) => ask('fmcosCryptogram', { key, challenge }),
    mac: (key, challenge, message) => ask('fmcosMac', { key, challenge, message }),
    keyWrite: (request) => ask('fmcosKeyWrite', request),
  };
}
