/** One go of ECB under a key that is set up for it alone; the program keeps its keys set up for a whole channel. Whole blocks only. */
import { AesKey } from '../../../app/globalplatform/aes.ts';
import { DesKey } from '../../../app/globalplatform/des.ts';

/** Key of 16, 24 or 32 bytes. */
export function aesEcb(key: Uint8Array, data: Uint8Array): Uint8Array {
  return once(new AesKey(key), data);
}

/** Key of 8 bytes (single DES), 16 or 24. */
export function desEcb(key: Uint8Array, data: Uint8Array): Uint8Array {
  return once(new DesKey(key), data);
}

function once(key: AesKey | DesKey, data: Uint8Array): Uint8Array {
  try {
    return key.ecb(data);
  } finally {
    key.close();
  }
}
