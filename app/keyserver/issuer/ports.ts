/** What the issuer needs from outside: facts of the card type, key operations, packages, randomness, the date. */

import type { CardApplication, CardTypeProfile } from '../../catalogue/schema.ts';
import type { FmcosKeys } from '../../dialects/fmcos/keys.ts';
import type { SessionKeyPort } from '../../globalplatform/session-keys.ts';
import type { CardKeyRef } from '../vault/port.ts';

/** A package ready to be loaded: what goes into LOAD, and its SHA-256 for the record. */
export interface LoadPackage {
  readonly loadFile: Uint8Array;
  /** SHA-256 over exactly the bytes of `loadFile`, hexadecimal. */
  readonly hash: string;
}

export interface IssuerPorts {
  readonly profile: CardTypeProfile;
  readonly app: (id: string) => CardApplication;
  readonly package: (id: string) => LoadPackage;
  readonly fmcosKeys: FmcosKeys<CardKeyRef>;
  /** Session keys of the card's security domain, derived in the HSM from its transport keys. */
  readonly channelKeys: SessionKeyPort;
  readonly random: (bytes: number) => Uint8Array;
  /** Day of issue and last day of validity, `YYYYMMDD`. */
  readonly dates: () => { readonly enabledOn: string; readonly validUntil: string };
}
