/** One PKCS#11 session and the primitive operations that the vault is made of. Every method may throw Pkcs11Error. */
import type { Session } from 'graphene-pk11';
import pkcs11, { type Handle, type PKCS11, type Template } from 'pkcs11js';
import { wipe } from '../../../../card/bytes.ts';
import type { KeyAlgorithm } from '../../keys.ts';
import { derivationStringData, type RawCryptoki } from './raw-cryptoki.ts';

/**
 * What a derived session object may do. `readable` children give their value to the vault; all others never do. `wrap` wraps
 * another, and enciphers where the token cannot wrap; `wrapped` may be wrapped, and enciphers its own check value.
 */
export type ChildUsage = 'encrypt' | 'sign' | 'readable' | 'wrap' | 'wrapped';

/** Block lengths of the two families, in bytes. */
export const DES_BLOCK = 8;
export const AES_BLOCK = 16;

/** Bytes of a key. */
export function keyLength(algorithm: KeyAlgorithm): number {
  switch (algorithm) {
    case 'des3-16':
    case 'aes-128':
      return 16;
    case 'aes-192':
      return 24;
    case 'aes-256':
      return 32;
  }
}

const CHECK_LENGTH = 3;

/**
 * Check value of a master: DES, 3DES of 8 zero bytes; AES, of 16 bytes 01 (GPCS 2.3.1 §B.6: not PKCS#11's CKA_CHECK_VALUE).
 */
export function checkValueOf(session: TokenSession, master: Handle, algorithm: KeyAlgorithm): Uint8Array {
  const block = Buffer.alloc(AES_BLOCK, algorithm === 'des3-16' ? 0x00 : 0x01);
  const result = session.deriveBytes(master, algorithm, block);
  const checkValue = new Uint8Array(result.subarray(0, CHECK_LENGTH));
  wipe(result);
  return checkValue;
}

/** A view of bytes as the Buffer that pkcs11js wants; no copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A session that is logged in. Throw it away after any failed call: it may hold an active operation. */
export class TokenSession {
  readonly #session: Session;
  /** The module below graphene, whose ciphers would copy the plaintext into buffers that nobody wipes. */
  readonly p11: PKCS11;
  readonly raw: RawCryptoki;
  readonly handle: Handle;

  constructor(raw: RawCryptoki, session: Session) {
    this.#session = session;
    this.p11 = session.lib;
    this.raw = raw;
    this.handle = session.handle;
  }

  close(): void {
    this.#session.close();
  }

  /** Objects matching a template. */
  find(template: Template): Handle[] {
    const found: Handle[] = [];
    this.p11.C_FindObjectsInit(this.handle, template);
    try {
      for (;;) {
        const some = this.p11.C_FindObjects(this.handle, 64);
        found.push(...some);
        if (some.length < 64) return found;
      }
    } finally {
      this.p11.C_FindObjectsFinal(this.handle);
    }
  }

  /** One attribute that is no secret. */
  attribute(object: Handle, type: number): Buffer {
    const [result] = this.p11.C_GetAttributeValue(this.handle, object, [{ type }]);
    if (result === undefined) throw new RangeError('the module gave no attribute');
    return result.value;
  }

  /**
   * A card's key, or another child of a master: the beginning of ECB(master, data), as long as the master itself, as a session
   * object for the length of `work`, then destroyed. `data`: 16 bytes, 32 for longer keys. DES children come parity-adjusted.
   * (PKCS#11 2.40 mechanisms §2.42.)
   */
  withDerived<T>(
    master: Handle,
    algorithm: KeyAlgorithm,
    data: Buffer,
    usage: ChildUsage,
    work: (child: Handle) => T,
  ): T {
    const type = algorithm === 'des3-16' ? pkcs11.CKK_DES2 : pkcs11.CKK_AES;
    return this.#withChild(master, algorithm, data, type, keyLength(algorithm), usage, work);
  }

  /** ECB(master, data) as plain bytes, exactly (no parity adjusted), in a buffer that the caller wipes. */
  deriveBytes(master: Handle, algorithm: KeyAlgorithm, data: Buffer): Buffer {
    const type = pkcs11.CKK_GENERIC_SECRET;
    return this.#withChild(master, algorithm, data, type, data.length, 'readable', (child) => {
      const value = Buffer.alloc(data.length);
      this.raw.readValue(this.handle, child, value);
      return value;
    });
  }

  #withChild<T>(
    master: Handle,
    algorithm: KeyAlgorithm,
    data: Buffer,
    keyType: number,
    length: number,
    usage: ChildUsage,
    work: (child: Handle) => T,
  ): T {
    const mechanism =
      algorithm === 'des3-16' ? pkcs11.CKM_DES3_ECB_ENCRYPT_DATA : pkcs11.CKM_AES_ECB_ENCRYPT_DATA;
    const template: Template = [
      { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
      { type: pkcs11.CKA_KEY_TYPE, value: keyType },
      { type: pkcs11.CKA_TOKEN, value: false },
      { type: pkcs11.CKA_PRIVATE, value: true },
      { type: pkcs11.CKA_SENSITIVE, value: usage !== 'readable' },
      { type: pkcs11.CKA_EXTRACTABLE, value: usage === 'readable' || usage === 'wrapped' },
      { type: pkcs11.CKA_ENCRYPT, value: usage === 'encrypt' || usage === 'wrap' || usage === 'wrapped' },
      { type: pkcs11.CKA_SIGN, value: usage === 'sign' },
      { type: pkcs11.CKA_WRAP, value: usage === 'wrap' },
    ];
    // The length of a DES key is fixed by its type; naming it is an inconsistent template on some tokens.
    if (keyType !== pkcs11.CKK_DES2) template.push({ type: pkcs11.CKA_VALUE_LEN, value: length });
    const parameter = derivationStringData(data);
    const child = this.p11.C_DeriveKey(this.handle, { mechanism, parameter }, master, template);
    try {
      return work(child);
    } finally {
      this.p11.C_DestroyObject(this.handle, child);
    }
  }

  #encrypt(mechanism: number, key: Handle, data: Buffer, iv?: Buffer): Buffer {
    const parameter = iv === undefined ? { mechanism } : { mechanism, parameter: iv };
    this.p11.C_EncryptInit(this.handle, parameter, key);
    return this.p11.C_Encrypt(this.handle, data, Buffer.alloc(data.length));
  }

  /** 3DES-ECB of whole blocks. */
  des3Ecb(key: Handle, data: Buffer): Buffer {
    return this.#encrypt(pkcs11.CKM_DES3_ECB, key, data);
  }

  /** 3DES-CBC of whole blocks. */
  des3Cbc(key: Handle, iv: Buffer, data: Buffer): Buffer {
    return this.#encrypt(pkcs11.CKM_DES3_CBC, key, data, iv);
  }

  /** AES-CBC of whole blocks. */
  aesCbc(key: Handle, iv: Buffer, data: Buffer): Buffer {
    return this.#encrypt(pkcs11.CKM_AES_CBC, key, data, iv);
  }

  /** A key wrapped by another: its value enciphered inside the token (CKM_AES_CBC with `iv`, CKM_DES3_ECB without). */
  wrap(wrapping: Handle, key: Handle, length: number, iv?: Buffer): Buffer {
    const mechanism =
      iv === undefined
        ? { mechanism: pkcs11.CKM_DES3_ECB }
        : { mechanism: pkcs11.CKM_AES_CBC, parameter: iv };
    return this.p11.C_WrapKey(this.handle, mechanism, wrapping, key, Buffer.alloc(length));
  }

  /** AES-CMAC (NIST SP 800-38B), 16 bytes. */
  aesCmac(key: Handle, data: Buffer): Buffer {
    this.p11.C_SignInit(this.handle, { mechanism: pkcs11.CKM_AES_CMAC }, key);
    return this.p11.C_Sign(this.handle, data, Buffer.alloc(AES_BLOCK));
  }

  /** Random bytes of the token. */
  random(length: number): Buffer {
    return this.#session.generateRandom(length);
  }
}
