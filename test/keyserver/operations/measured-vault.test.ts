/** Every operation of the vault is counted and timed, whichever there are. */
import { expect, it } from 'vitest';
import { measuredVault } from '../../../app/keyserver/operations/measured-vault.ts';
import { Metrics } from '../../../app/keyserver/operations/metrics.ts';
import { VaultError } from '../../../app/keyserver/vault/error.ts';
import { callsOf } from '../../../app/keyserver/vault/operation.ts';
import { operationsOf, ownOperations, VAULT_FAMILIES } from '../../../app/keyserver/vault/registry.ts';
import type { Vault } from '../../../app/keyserver/vault/vault.ts';

it.each([...Object.keys(ownOperations), ...Object.keys(dialects())])('%s', async (name) => {
  const metrics = new Metrics();
  const vault = measuredVault(idle, metrics);
  if (Object.hasOwn(dialects(), name)) await vault.ask(name, {});
  else await Reflect.apply(Reflect.get(vault, name), vault, [{}]);
  const text = await metrics.text();
  expect(text).toMatch(new RegExp(`^kaika_hsm_calls_total\\{op="${name}",end="ok"\\} 1$`, 'm'));
  expect(text).toMatch(new RegExp(`^kaika_hsm_seconds_count\\{op="${name}"\\} 1$`, 'm'));
});

it('says how a call ended', async () => {
  const metrics = new Metrics();
  const away = { ...idle, seal: () => Promise.reject(new VaultError('hsm-away', 'gone')) };
  await expect(
    measuredVault(away, metrics).seal({ clear: new Uint8Array(), context: 'c' }),
  ).rejects.toMatchObject({ fault: 'hsm-away' });
  expect(await metrics.text()).toMatch(/^kaika_hsm_calls_total\{op="seal",end="hsm-away"\} 1$/m);
});

/** A vault that answers nothing. */
const idle: Vault = {
  ...callsOf(ownOperations, async () => undefined),
  ask: async () => new Uint8Array(),
  close: async () => undefined,
};

function dialects() {
  return operationsOf(VAULT_FAMILIES.filter(({ kind }) => kind === 'dialect'));
}
