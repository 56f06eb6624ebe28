/**
 * What the key server may ask of the HSM. Every call names keys, never carries one: master keys stay in the token, a
 * card's key is a session object there for the length of one call. There is deliberately no "encrypt this block".
 */

/** Whose key: as the manufacturer delivered it, or the issuer's own. */
export type KeyOrigin = 'factory' | 'issuer';

/** Algorithm of a master key and of the card keys derived from it. */
export const KEY_ALGORITHMS = ['des3-16', 'aes-128', 'aes-192', 'aes-256'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/**
 * Names one version of one master key. `purpose` is a path of words: `app/e-wallet/mck`, `app/e-wallet/mtk`,
 * `isd/demo-scp03/enc`, `isd/demo-scp03/mac`, `isd/demo-scp03/dek`. Versions count from 1.
 */
export interface MasterKeyId {
  readonly purpose: string;
  readonly origin: KeyOrigin;
  readonly version: number;
}

/**
 * One card's key: the master and the 8-byte diversification factor D. Card key = ECB(master, D ‖ NOT D), PBOC
 * diversification, for AES masters the same 16 bytes as one AES block.
 */
export interface CardKeyRef {
  readonly master: MasterKeyId;
  readonly factor: Uint8Array;
}

/**
 * How the key of a card's security domain comes from its master; each is named in card-type profiles (docs/profiles.md).
 * `none`: it is the master itself. `pboc`: as `CardKeyRef`. The others take the 10 bytes of key diversification data that the card
 * gives with INITIALIZE UPDATE: `visa2` and `emv-cps` (3DES) of some of them, `kdf3` (AES) NIST SP 800-108 in counter mode.
 */
export type Diversification =
  | { readonly kind: 'none' }
  | { readonly kind: 'pboc'; readonly factor: Uint8Array }
  | { readonly kind: 'visa2' | 'emv-cps' | 'kdf3'; readonly data: Uint8Array };

/** One key of one card's security domain. */
export interface DomainKeyRef {
  readonly master: MasterKeyId;
  readonly diversification: Diversification;
}

/** Where a new key is in the clear on its way to the card: nowhere outside the token, or in one wiped buffer of the vault. */
export type NewKeyPath = 'inside-token' | 'wiped-buffer';

/** Public facts of a master key in the token. `checkValue`: 3 bytes; DES: of 8 zero bytes, AES: GP's, of 16 bytes 01. */
export interface MasterKeyInfo extends MasterKeyId {
  readonly algorithm: KeyAlgorithm;
  readonly checkValue: Uint8Array;
}

/** State of the token, for `status`. */
export interface VaultStatus {
  readonly token: string;
  readonly manufacturer: string;
  /** A software token lives in the vault process's memory. */
  readonly softwareToken: boolean;
  /** The token is marked: its keys are a demonstration's, and protect nothing. */
  readonly demo: boolean;
  /** The way of new application keys (FMCOS). */
  readonly newKeys: NewKeyPath;
  /** The way of a security domain's new keys, tried out on this token. */
  readonly newDomainKeys: Readonly<Record<KeyAlgorithm, NewKeyPath>>;
  readonly masters: readonly MasterKeyInfo[];
}

/** FMCOS: the fields of a WRITE KEY (replace), from the card-type profile; see docs/cards/demo-card.md. */
export interface KeySlotHeader {
  /** First plaintext byte of the key record: F9 (master control), F6 (maintenance). */
  readonly typeInside: number;
  readonly useRight: number;
  readonly changeRight: number;
  /** Next state for 39, FF for 36. */
  readonly nextState: number;
  /** High nibble maximum, low nibble left. */
  readonly counter: number;
}

/** Session keys of a secure channel; may be in server memory while the job runs, wiped afterwards. The DEK never is. */
export interface ChannelSessionKeys {
  readonly enc: Uint8Array;
  readonly mac: Uint8Array;
  readonly rmac: Uint8Array;
}

/** Keys of a security domain, as references. */
export interface ChannelKeyRefs {
  readonly enc: DomainKeyRef;
  readonly mac: DomainKeyRef;
  readonly dek: DomainKeyRef;
}

/** A security domain's new key as PUT KEY carries it: enciphered under the DEK, with GlobalPlatform's check value. */
export interface WrappedKey {
  readonly kind: 'des' | 'aes';
  /** Bytes of the clear key. */
  readonly length: number;
  readonly cipher: Uint8Array;
  readonly checkValue: Uint8Array;
}

/** New keys for a security domain. */
export interface DomainKeyWrap {
  /** The DEK that is on the card now, and for SCP02 the counter that its session key follows from. */
  readonly under:
    | { readonly scp: '02'; readonly dek: DomainKeyRef; readonly sequenceCounter: Uint8Array }
    | { readonly scp: '03'; readonly dek: DomainKeyRef };
  readonly keys: ChannelKeyRefs;
}

/** What a secure channel's session keys are derived from. */
export type ChannelContext =
  | { readonly scp: '02'; readonly sequenceCounter: Uint8Array }
  | { readonly scp: '03'; readonly hostChallenge: Uint8Array; readonly cardChallenge: Uint8Array };

/**
 * Why the vault cannot serve. `hsm-away`: module, token or vault process; comes back by itself. `key-missing`: the token
 * is there, the key is not. `refused`: what is asked for is never done. `busy`: too much is waiting.
 */
export type VaultFault = 'hsm-away' | 'key-missing' | 'refused' | 'busy';

/** A fault of the vault. The message names keys by purpose and version only. */
export class VaultError extends Error {
  readonly fault: VaultFault;
  constructor(fault: VaultFault, message: string) {
    super(message);
    this.name = 'VaultError';
    this.fault = fault;
  }
}

/** The serving vault. Every method may reject with VaultError. */
export interface Vault {
  status(): Promise<VaultStatus>;
  /**
   * FMCOS EXTERNAL AUTHENTICATE: 3DES(K, challenge ‖ 00000000), 8 bytes. Only 4-byte challenges, because with eight of a
   * station's choice this would encrypt anything. `key` must be a master control key (`app/…/mck`).
   */
  fmcosCryptogram(key: CardKeyRef, challenge: Uint8Array): Promise<Uint8Array>;
  /**
   * FMCOS secure-messaging MAC, 4 bytes: ISO 9797-1 algorithm 3, IV challenge ‖ 00000000, over `message`, padded 80 00….
   * `message` is an UPDATE BINARY, 04 D6 P1 P2 Lc data with the Lc that includes the MAC; anything else is refused. `key`
   * must be a maintenance key (`app/…/mtk`).
   */
  fmcosMac(key: CardKeyRef, challenge: Uint8Array, message: Uint8Array): Promise<Uint8Array>;
  /**
   * FMCOS WRITE KEY (replace), the whole 28-byte data field: 24 bytes ciphertext and 4 bytes MAC, both under
   * `under` (the key 39/00 now on the card, `app/<name>/mck`). `p1` is 39 (`newKey` an mck) or 36 (an mtk), both of the
   * same app; `header.typeInside` must be F9 or F6, or it is refused. DES key bytes go to the card parity-adjusted.
   */
  fmcosKeyWrite(request: {
    readonly under: CardKeyRef;
    readonly newKey: CardKeyRef;
    readonly p1: number;
    readonly keyId: number;
    readonly header: KeySlotHeader;
    readonly challenge: Uint8Array;
  }): Promise<Uint8Array>;
  /**
   * Session keys of a secure channel with a security domain. The three keys are `isd/<type>/enc`, `/mac` and `/dek` of one
   * type; two-key 3DES for SCP02, AES for SCP03.
   */
  channelSessionKeys(keys: ChannelKeyRefs, context: ChannelContext): Promise<ChannelSessionKeys>;
  /**
   * The same for an SCP03 channel that has not been opened yet, on a card with pseudo-random challenges, and the challenge that the
   * card will give (Amendment D §6.2.2.1): of the host challenge's length, 8 or 16 bytes. `sequenceCounter`: 3 bytes, as the answer
   * will carry it; `invoker`: the security domain's AID.
   */
  foretellChannel(
    keys: ChannelKeyRefs,
    opening: {
      readonly hostChallenge: Uint8Array;
      readonly sequenceCounter: Uint8Array;
      readonly invoker: Uint8Array;
    },
  ): Promise<ChannelSessionKeys & { readonly cardChallenge: Uint8Array }>;
  /**
   * ENC, MAC and DEK of a security domain, in this order, enciphered for one PUT KEY. All four keys are of one type's `isd/<type>`;
   * the new ones are diversified (`none` is refused: a master never leaves the token).
   */
  wrapDomainKeys(request: DomainKeyWrap): Promise<readonly WrappedKey[]>;
  /** Seals bytes for the store under a key of the token; `context` must be given again to open them. */
  seal(clear: Uint8Array, context: string): Promise<Uint8Array>;
  unseal(sealed: Uint8Array, context: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** What only set-up and ceremony may do; never reachable from the serving process. */
export interface VaultAdmin {
  /** A new master key made inside the token. `refused` when the name is taken: keys are never replaced, only versioned. */
  generateMaster(id: MasterKeyId, algorithm: KeyAlgorithm): Promise<MasterKeyInfo>;
  /** A transport key handed over by a manufacturer. `value` is wiped. */
  importMaster(id: MasterKeyId, algorithm: KeyAlgorithm, value: Uint8Array): Promise<MasterKeyInfo>;
  listMasters(): Promise<readonly MasterKeyInfo[]>;
  /** Makes the key that `Vault.seal` works under, if the token has none. */
  ensureSealKey(): Promise<void>;
  /** Marks all keys of the token as a demonstration's, for good: a server serves with them only where its configuration says so. */
  markDemo(): Promise<void>;
  close(): Promise<void>;
}
