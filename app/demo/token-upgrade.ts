/**
 * A demo's token of an older version: nothing was fixed with its masters, and the issuer's keys were of an account alone. It does by itself
 * what a site's custodian does by hand (docs/guide/key-server.md, "Masters of an older version"): the rules, then a new version of each app's keys.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { fixKeys } from '../keyserver/keys/fix.ts';
import { purposesOf } from '../keyserver/keys/groups.ts';
import { makeKeys } from '../keyserver/keys/make.ts';
import { activateKeys } from '../keyserver/keys/versions.ts';
import { OWN_RESOURCES, openCatalogue } from '../keyserver/resources.ts';
import { openSqliteStore } from '../keyserver/store/open.ts';
import { openVaultAdmin } from '../keyserver/vault/admin.ts';
import type { VaultTokenConfig } from '../keyserver/vault/config.ts';
import { KaikaError } from '../protocol/errors.ts';

interface OlderDemo {
  /** Says that the token is as this version makes it; looking at the token itself at every start would cost a process. */
  readonly tokenMark: string;
  readonly store: string;
  readonly token: VaultTokenConfig;
  /** Who answers for it in the demo's record. */
  readonly operator: string;
}

/** Notes that a token was made by this version. */
export function markToken(tokenMark: string): void {
  writeFileSync(tokenMark, 'rules\n', { mode: 0o600, flush: true });
}

/** Once; where it is interrupted, the next start goes on. @throws VaultError, KaikaError */
export async function bringTokenUp({ tokenMark, store: file, token, operator }: OlderDemo): Promise<void> {
  if (existsSync(tokenMark)) return;
  const catalogue = openCatalogue(OWN_RESOURCES);
  const store = await openSqliteStore(file);
  const admin = await openVaultAdmin(token);
  const [now, reason] = [new Date(), 'a demo of an older version'];
  try {
    await fixKeys(store, admin, catalogue, { operator, reason }, now);
    const older = (await admin.listMasters()).filter(({ rule }) => rule?.diversifiedBy === 'account');
    for (const name of new Set(older.map(({ purpose }) => purpose.slice(0, purpose.lastIndexOf('/'))))) {
      const change = { name, purposes: purposesOf(catalogue, name), operator, reason };
      const newest = async () => Math.max(...issuers(await admin.listMasters(), change.purposes));
      const before = await newest();
      if (older.some((key) => change.purposes.includes(key.purpose) && key.version === before))
        await makeKeys(store, admin, catalogue, change, now);
      await activateKeys(store, await admin.listMasters(), await newest(), change, now).catch(unlessDone);
    }
  } finally {
    await admin.close();
    await store.destroy();
  }
  markToken(tokenMark);
}

/** An earlier start may have been interrupted behind this step. */
function unlessDone(error: unknown): void {
  if (!(error instanceof KaikaError) || error.code !== 'nothing-to-do') throw error;
}

function issuers(
  masters: readonly { readonly purpose: string; readonly origin: string; readonly version: number }[],
  purposes: readonly string[],
): number[] {
  return masters
    .filter(({ purpose, origin }) => origin === 'issuer' && purposes.includes(purpose))
    .map(({ version }) => version);
}
