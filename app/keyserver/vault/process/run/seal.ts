/**
 * Sealing for the store: AES-256-GCM (NIST SP 800-38D) under a key of the token, the context as additional data.
 * Sealed form: version 01 ‖ 12-byte nonce ‖ ciphertext ‖ 16-byte tag. The plaintext carries one byte 00 in front, because
 * the binding cannot pass an empty one.
 */
import pkcs11, { type Handle, type Mechanism } from 'pkcs11js';
import { concat, wipe } from '../../../../card/bytes.ts';
import { VaultError } from '../../error.ts';
import type { RunsOf } from '../../operation.ts';
import type { sealOperations } from '../../operations/seal.ts';
import { isTokenError } from '../token/cryptoki-error.ts';
import { asBuffer, type TokenSession } from '../token/session.ts';
import type { Workbench } from './workbench.ts';

const VERSION = 0x01;
const NONCE = 12;
const TAG = 16;

function gcm(nonce: Buffer, context: string): Mechanism {
  const aad = Buffer.from(context);
  const parameter = {
    type: pkcs11.CK_PARAMS_GCM,
    iv: nonce,
    ivBits: 8 * NONCE,
    aad,
    tagBits: 8 * TAG,
  };
  return { mechanism: pkcs11.CKM_AES_GCM, parameter };
}

/** Seals `clear`, bound to `context`. */
function seal(session: TokenSession, key: Handle, clear: Uint8Array, context: string): Uint8Array {
  const nonce = session.random(NONCE);
  const plain = asBuffer(concat(Uint8Array.of(0), clear));
  try {
    session.p11.C_EncryptInit(session.handle, gcm(nonce, context), key);
    const cipher = session.p11.C_Encrypt(session.handle, plain, Buffer.alloc(plain.length + TAG));
    return concat(Uint8Array.of(VERSION), nonce, cipher);
  } finally {
    wipe(plain);
  }
}

/**
 * Opens what `seal` made.
 * @throws VaultError `refused` when it was changed, or sealed in another context or under another key.
 */
function unseal(session: TokenSession, key: Handle, sealed: Uint8Array, context: string): Uint8Array {
  const bad = new VaultError('refused', 'these bytes were not sealed here in this context');
  if (sealed[0] !== VERSION || sealed.length < 1 + NONCE + 1 + TAG) throw bad;
  const nonce = asBuffer(sealed.slice(1, 1 + NONCE));
  const cipher = asBuffer(sealed.slice(1 + NONCE));
  const plain = Buffer.alloc(cipher.length);
  session.p11.C_DecryptInit(session.handle, gcm(nonce, context), key);
  try {
    return new Uint8Array(session.p11.C_Decrypt(session.handle, cipher, plain).subarray(1));
  } catch (error) {
    // SoftHSM answers CKR_GENERAL_ERROR to a wrong tag; that the token is there was seen by C_DecryptInit.
    if (isTokenError(error)) throw bad;
    throw error;
  } finally {
    wipe(plain);
  }
}

export const runs: RunsOf<typeof sealOperations, Workbench> = {
  seal: ({ session, keys }, { clear, context }) => seal(session, keys.seal(session), clear, context),
  unseal: ({ session, keys }, { sealed, context }) => unseal(session, keys.seal(session), sealed, context),
};
