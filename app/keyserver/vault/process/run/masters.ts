/** What may be known of the master keys: names, algorithms, check values. */

import { wipe } from '../../../../card/bytes.ts';
import type { MasterKeyId, MasterKeyInfo } from '../../keys.ts';
import { listMasterIds } from '../token/key-cache.ts';
import { AES_BLOCK } from '../token/session.ts';
import type { Workbench } from './workbench.ts';

const CHECK_LENGTH = 3;

/**
 * Name, algorithm and check value of a master: DES, 3DES of 8 zero bytes; AES, of 16 bytes 01 (GPCS 2.3.1 §B.6: not
 * PKCS#11's CKA_CHECK_VALUE).
 */
export function masterInfo(bench: Pick<Workbench, 'session' | 'keys'>, id: MasterKeyId): MasterKeyInfo {
  const { handle, algorithm } = bench.keys.master(bench.session, id);
  const block = Buffer.alloc(AES_BLOCK, algorithm === 'des3-16' ? 0x00 : 0x01);
  const result = bench.session.deriveBytes(handle, algorithm, block);
  const checkValue = new Uint8Array(result.subarray(0, CHECK_LENGTH));
  wipe(result);
  return { ...id, algorithm, checkValue };
}

/** All masters in the token, sorted by name. */
export function listMasters(bench: Pick<Workbench, 'session' | 'keys'>): MasterKeyInfo[] {
  return listMasterIds(bench.session).map((id) => masterInfo(bench, id));
}
