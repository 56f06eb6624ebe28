/** The vault's operations with Lantern's: what a new line in app/keyserver/vault/registry.ts would say. */
import { dialectFamily, VAULT_FAMILIES } from '../../../app/keyserver/vault/registry.ts';
import { DOOR } from './rule.ts';
import { lanternOperations } from './vault-operations.ts';

export const FAMILIES_WITH_LANTERN = [
  ...VAULT_FAMILIES,
  dialectFamily(lanternOperations, [DOOR], () => import('./vault-run.ts')),
];
