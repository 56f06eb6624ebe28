/**
 * Versions of the issuer's master keys: which one new writes use, and which may be forgotten. The token has the keys, the store says
 * what they are used for; both are compared by check value, so that another key under the same name is never taken for this one.
 */
import { toHex } from '../../card/bytes.ts';
import { KaikaError } from '../../protocol/errors.ts';
import { requireRight } from '../access/terminal.ts';
import { writeAudit } from '../audit/entries.ts';
import { holdKeys, insertVersion, listVersions, setState } from '../store/key-versions.ts';
import type { Queries, Store } from '../store/store.ts';
import type { KeyVersionsTable } from '../store/tables.ts';
import { together } from '../store/transaction.ts';
import type { MasterKeyInfo } from '../vault/keys.ts';

/** Who changes which key, and why. */
export interface KeyChange {
  /** As it was asked for. */
  readonly name: string;
  /** What the name stands for (`purposesOf`). */
  readonly purposes: readonly string[];
  readonly operator: string;
  readonly reason: string;
}

/**
 * Takes over the keys of a purpose that the store has never heard of: its newest version is the active one. So a site whose set-up
 * made the first keys can begin, and a store from before there were active versions goes on with what it used.
 */
export async function adoptKeys(store: Store, masters: readonly MasterKeyInfo[], now: Date): Promise<void> {
  const issuer = masters.filter(({ origin }) => origin === 'issuer');
  if (unknown(issuer, await listVersions(store)).length === 0) return;
  await together(store, async (db) => {
    await holdKeys(db, now);
    const adopted = unknown(issuer, await listVersions(db));
    for (const { purpose, version, checkValue } of adopted) {
      const newest = Math.max(...adopted.filter((one) => one.purpose === purpose).map((one) => one.version));
      const active = version === newest;
      await insertVersion(db, { purpose, version }, toHex(checkValue), active ? 'active' : 'earlier', now);
      if (active) await writeAudit(db, { kind: 'key-adopt', detail: { purpose, version } }, now);
    }
  });
}

function unknown(masters: readonly MasterKeyInfo[], rows: readonly KeyVersionsTable[]): MasterKeyInfo[] {
  return masters.filter(({ purpose }) => rows.every((row) => row.purpose !== purpose));
}

/** Notes versions that were just made in the token; nothing uses them yet. @throws KaikaError `not-permitted` */
export async function noteMade(
  store: Store,
  made: readonly MasterKeyInfo[],
  change: KeyChange,
  now: Date,
): Promise<void> {
  await together(store, async (db) => {
    await holdKeys(db, now);
    await requireRight(db, change.operator, 'change-keys');
    for (const { purpose, version, checkValue } of made)
      await insertVersion(db, { purpose, version }, toHex(checkValue), 'ready', now);
    const { name, operator, reason } = change;
    const keys = made.map(({ purpose, version }) => `${purpose} v${version}`);
    await writeAudit(db, { kind: 'key-make', operator, detail: { name, reason, keys } }, now);
  });
}

/**
 * From now on new writes use `version`; an older one takes them back to it. Cards on others keep working and are moved when they come.
 * @throws KaikaError `hsm-key-missing` when the token does not have it, or another key under its name; `not-permitted` for a retired
 * one; `nothing-to-do`
 */
export async function activateKeys(
  store: Store,
  masters: readonly MasterKeyInfo[],
  version: number,
  change: KeyChange,
  now: Date,
): Promise<void> {
  const { purposes } = change;
  await together(store, async (db) => {
    await holdKeys(db, now);
    await requireRight(db, change.operator, 'change-keys');
    const rows = await listVersions(db);
    const active = (purpose: string) => rows.find((row) => row.purpose === purpose && row.state === 'active');
    if (purposes.every((purpose) => active(purpose)?.version === version))
      throw new KaikaError('nothing-to-do', `${change.name} version ${version} is active already`);
    const before: Record<string, number | null> = {};
    for (const purpose of purposes) {
      const row = rows.find((one) => one.purpose === purpose && one.version === version);
      const key = requireKey(masters, purpose, version, row);
      const was = active(purpose)?.version;
      before[purpose] = was ?? null;
      if (row === undefined)
        await insertVersion(db, { purpose, version }, toHex(key.checkValue), 'ready', now);
      if (was !== undefined) await setState(db, { purpose, version: was }, { state: 'earlier' });
      await setState(db, { purpose, version }, { state: 'active', activated: now.toISOString() });
    }
    const { name, operator, reason } = change;
    await writeAudit(db, { kind: 'key-activate', operator, detail: { name, version, before, reason } }, now);
  });
}

/** @throws KaikaError */
function requireKey(
  masters: readonly MasterKeyInfo[],
  purpose: string,
  version: number,
  row: KeyVersionsTable | undefined,
): MasterKeyInfo {
  const key = masters.find(
    (one) => one.purpose === purpose && one.origin === 'issuer' && one.version === version,
  );
  if (key === undefined)
    throw new KaikaError('hsm-key-missing', `${purpose} version ${version} is not in the token`);
  if (row !== undefined && row.check_value !== toHex(key.checkValue))
    throw new KaikaError(
      'hsm-key-missing',
      `${purpose} version ${version}: the token has another key under this name`,
    );
  if (row?.state === 'retired')
    throw new KaikaError('not-permitted', `${purpose} version ${version} is retired`);
  return key;
}

/**
 * The version that was active before the one that is, for going back.
 * @throws KaikaError `nothing-to-do` when none was, or the keys of the name were not active together
 */
export async function earlierVersion(
  db: Queries,
  { name, purposes }: Pick<KeyChange, 'name' | 'purposes'>,
): Promise<number> {
  const rows = await listVersions(db);
  const found = purposes.map(
    (purpose) =>
      rows
        .filter((row) => row.purpose === purpose && row.state === 'earlier' && row.activated !== null)
        .sort((a, b) => ((a.activated ?? '') < (b.activated ?? '') ? 1 : -1))[0]?.version,
  );
  const [version] = found;
  if (version === undefined || found.some((one) => one !== version))
    throw new KaikaError('nothing-to-do', `${name} has no one version that was active before: activate one`);
  return version;
}
