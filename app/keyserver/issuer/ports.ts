/** What the issuer needs from outside: facts of the card type, key operations, packages, randomness, the date. */

import type { CardApplication, CardTypeProfile } from '../../catalogue/schema.ts';
import type { KeyOperations } from '../../dialects/dialect.ts';
import type { WrappedKey } from '../../globalplatform/put-key.ts';
import type {
  ChannelSessionKeys,
  CryptogramKeyPort,
  SessionKeyPort,
} from '../../globalplatform/session-keys.ts';
import type { DomainKeySet } from './domain-keys.ts';

/** A package ready to be loaded: what goes into LOAD, and its SHA-256 for the record. */
export interface LoadPackage {
  readonly loadFile: Uint8Array;
  /** SHA-256 over exactly the bytes of `loadFile`, hexadecimal. */
  readonly hash: string;
}

export interface DomainKeyPort {
  /** Session keys under one set. */
  session(set: DomainKeySet): SessionKeyPort & CryptogramKeyPort;
  /** Session keys of an SCP03 channel that has not been opened yet, and the challenge that the card will give in it. */
  foretell(
    set: DomainKeySet,
    opening: {
      readonly hostChallenge: Uint8Array;
      readonly sequenceCounter: Uint8Array;
      /** AID of the security domain. */
      readonly invoker: Uint8Array;
    },
  ): Promise<ChannelSessionKeys & { readonly cardChallenge: Uint8Array }>;
  /** ENC, MAC and DEK of `keys`, enciphered under the DEK of `under`; SCP02 takes the session's counter. */
  wrap(request: {
    readonly under: DomainKeySet;
    readonly keys: DomainKeySet;
    readonly sequenceCounter: Uint8Array | undefined;
  }): Promise<readonly WrappedKey[]>;
}

export interface IssuerPorts {
  readonly profile: CardTypeProfile;
  readonly app: (id: string) => CardApplication;
  readonly package: (id: string) => LoadPackage;
  /** Asks an operation on keys of card apps, by its name; it gives bytes. @throws VaultError */
  readonly ask: KeyOperations['ask'];
  /** Keys of the card's security domain; the static ones stay in the HSM. */
  readonly domainKeys: DomainKeyPort;
  readonly random: (bytes: number) => Uint8Array;
  /** Day of issue and last day of validity, `YYYYMMDD`. */
  readonly dates: () => { readonly enabledOn: string; readonly validUntil: string };
}
