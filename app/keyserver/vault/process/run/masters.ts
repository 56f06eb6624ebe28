/** What may be known of the master keys: names, algorithms, check values, and what is fixed with them. */
import type { MasterKeyId, MasterKeyInfo } from '../../keys.ts';
import { listMasterIds } from '../token/key-cache.ts';
import { checkValueOf } from '../token/session.ts';
import type { Workbench } from './workbench.ts';

/** Name, algorithm, check value and rule of a master. */
export function masterInfo(bench: Pick<Workbench, 'session' | 'keys'>, id: MasterKeyId): MasterKeyInfo {
  const { session, keys } = bench;
  const { handle, algorithm } = keys.master(session, id);
  const rule = keys.rule(session, id) ?? null;
  return { ...id, algorithm, checkValue: checkValueOf(session, handle, algorithm), rule };
}

/** All masters in the token, sorted by name. */
export function listMasters(bench: Pick<Workbench, 'session' | 'keys'>): MasterKeyInfo[] {
  return listMasterIds(bench.session).map((id) => masterInfo(bench, id));
}
