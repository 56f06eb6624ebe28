/** New keys enciphered for PUT KEY, and key check values, with keys as bytes: where no HSM holds them. */
import { concat, wipe } from '../../../app/card/bytes.ts';
import { AesKey } from '../../../app/globalplatform/aes.ts';
import { CHECK_VALUE_LENGTH, type KeyKind, type WrappedKey } from '../../../app/globalplatform/put-key.ts';
import { aesEcb, desEcb } from './ecb.ts';

const DES_BLOCK = 8;
const AES_BLOCK = 16;

/** Key check value, 3 bytes: DES of 8 zero bytes; AES of 16 bytes 01 (GPC 2.3.1 §B.6), which is not PKCS#11's. */
export function keyCheckValue(kind: KeyKind, key: Uint8Array): Uint8Array {
  const whole =
    kind === 'des' ? desEcb(key, new Uint8Array(DES_BLOCK)) : aesEcb(key, new Uint8Array(AES_BLOCK).fill(1));
  return whole.slice(0, CHECK_VALUE_LENGTH);
}

/**
 * SCP02: ECB under the session DEK (GPC 2.3.1 §E.4.7).
 * @throws RangeError when the key is not whole blocks.
 */
export function wrapUnderSessionDek(dek: Uint8Array, kind: KeyKind, key: Uint8Array): WrappedKey {
  if (key.length % DES_BLOCK !== 0) throw new RangeError('key that is not whole blocks');
  return { kind, length: key.length, cipher: desEcb(dek, key), checkValue: keyCheckValue(kind, key) };
}

/** SCP03: CBC under the static DEK with a zero initial value, filled up to whole blocks (Amendment D §6.2.8, §7.2). */
export function wrapUnderStaticDek(dek: Uint8Array, kind: KeyKind, key: Uint8Array): WrappedKey {
  const filled = concat(key, new Uint8Array((AES_BLOCK - (key.length % AES_BLOCK)) % AES_BLOCK));
  const aes = new AesKey(dek);
  const cipher = aes.cbc(filled, new Uint8Array(AES_BLOCK));
  aes.close();
  wipe(filled);
  return { kind, length: key.length, cipher, checkValue: keyCheckValue(kind, key) };
}
