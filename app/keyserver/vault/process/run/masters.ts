/** What may be known of the master keys: names, algorithms, check values, and what is fixed with them. */
import type { MasterKeyId, MasterKeyInfo } from '../../keys.ts';
import { findMasters } from '../token/key-cache.ts';
import type { Workbench } from './workbench.ts';

/** Name, algorithm, check value and rule of a master. */
export function masterInfo(bench: Pick<Workbench, 'session' | 'keys'>, id: MasterKeyId): MasterKeyInfo {
  const { session, keys } = bench;
  const { algorithm } = keys.master(session, id);
  const rule = keys.rule(session, id) ?? null;
  // A copy: an answer's bytes are wiped once it is sent.
  return { ...id, algorithm, checkValue: Uint8Array.from(keys.checkValue(session, id)), rule };
}

/** All masters in the token, sorted by label. @throws VaultError `refused` for a name that is there twice */
export function listMasters(bench: Pick<Workbench, 'session' | 'keys'>): MasterKeyInfo[] {
  const found = findMasters(bench.session);
  bench.keys.keepOnly(found);
  return found.map(({ id }) => masterInfo(bench, id));
}
