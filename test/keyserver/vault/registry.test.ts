/** What the families of the vault's operations must not share. */
import { expect, it } from 'vitest';
import { dialectFamily, operationsOf, VAULT_FAMILIES } from '../../../app/keyserver/vault/registry.ts';
import { FAMILIES_WITH_LANTERN } from '../../support/second-dialect/vault-families.ts';

it('each dialect has roles of its own', () => {
  expect(() => operationsOf(FAMILIES_WITH_LANTERN)).not.toThrow();
  // Its masters would be usable by the other's operations.
  const second = dialectFamily({}, ['door', 'mck'], nothing);
  expect(() => operationsOf([...VAULT_FAMILIES, second])).toThrow('role mck');
});

const nothing = () => Promise.resolve({ runs: {} });
