/** The key operations that FMCOS commands need, over whatever names a key: an HSM reference in the field, bytes in a test. */

/** The fields of a key record that precede the key. They come from the card-type profile; a wrong one ends the app. */
export interface KeySlotHeader {
  /** First byte of the record: F9 (master control), F6 (maintenance). */
  readonly typeInside: number;
  readonly useRight: number;
  readonly changeRight: number;
  /** Next state for 39, FF for 36. */
  readonly nextState: number;
  /** High nibble maximum, low nibble left. */
  readonly counter: number;
}

/**
 * One WRITE KEY (replace). `under` is the key 39/00 that is on the card now. `p1` is 39 (external authentication: the master
 * control key) or 36 (file line protection: the maintenance key). `challenge` has 4 bytes.
 */
export interface KeyWriteRequest<K> {
  readonly under: K;
  readonly newKey: K;
  readonly p1: number;
  readonly keyId: number;
  readonly header: KeySlotHeader;
  readonly challenge: Uint8Array;
}

/** Key operations by reference K. Each takes a 4-byte challenge of the card and rejects when the key cannot be used. */
export interface FmcosKeys<K> {
  /** The challenge followed by 00000000, enciphered under the key: 8 bytes. */
  cryptogram(key: K, challenge: Uint8Array): Promise<Uint8Array>;
  /** Secure-messaging MAC over `message` (CLA 04 … data, not padded), 4 bytes. */
  mac(key: K, challenge: Uint8Array, message: Uint8Array): Promise<Uint8Array>;
  /** The data field of WRITE KEY: 24 bytes ciphertext and 4 bytes MAC. */
  keyWrite(request: KeyWriteRequest<K>): Promise<Uint8Array>;
}
