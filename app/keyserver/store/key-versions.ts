/** Versions of the issuer's master keys, as the store knows them: which one new writes use, and which may be forgotten. */
import { z } from 'zod';
import { holdRow } from './hold-row.ts';
import type { Queries } from './store.ts';
import type { KeyVersionsTable } from './tables.ts';

const keyStateSchema = z.enum(['ready', 'active', 'earlier', 'retired']);
type KeyState = z.infer<typeof keyStateSchema>;

/** Lets one change of keys happen at a time. */
export const holdKeys = (db: Queries, now: Date): Promise<void> => holdRow(db, 'key-versions', now);

/** All that is known of versions, by purpose and version. */
export async function listVersions(db: Queries): Promise<KeyVersionsTable[]> {
  return db.selectFrom('key_versions').selectAll().orderBy('purpose').orderBy('version').execute();
}

export type ActiveKey = Pick<KeyVersionsTable, 'purpose' | 'version' | 'check_value'>;

/** The active version of each purpose that has one. */
export async function listActive(db: Queries): Promise<ActiveKey[]> {
  return db
    .selectFrom('key_versions')
    .select(['purpose', 'version', 'check_value'])
    .where('state', '=', 'active')
    .execute();
}

/** One version of one key. */
export interface KeyVersion {
  readonly purpose: string;
  readonly version: number;
}

/** Whether any of these versions was retired. */
export async function isAnyRetired(db: Queries, wanted: readonly KeyVersion[]): Promise<boolean> {
  if (wanted.length === 0) return false;
  const retired = await db
    .selectFrom('key_versions')
    .select(['purpose', 'version'])
    .where('state', '=', 'retired')
    .where(
      'purpose',
      'in',
      wanted.map(({ purpose }) => purpose),
    )
    .execute();
  return wanted.some((key) =>
    retired.some(({ purpose, version }) => purpose === key.purpose && version === key.version),
  );
}

/** `checkValue`: hexadecimal, as the table has it. */
export async function insertVersion(
  db: Queries,
  { purpose, version }: KeyVersion,
  checkValue: string,
  state: KeyState,
  now: Date,
): Promise<void> {
  const activated = state === 'active' ? now.toISOString() : null;
  const row = { purpose, version, state, check_value: checkValue, made: now.toISOString(), activated };
  await db.insertInto('key_versions').values(row).execute();
}

export async function setState(
  db: Queries,
  { purpose, version }: KeyVersion,
  values: { readonly state: KeyState; readonly activated?: string },
): Promise<void> {
  await db
    .updateTable('key_versions')
    .set(values)
    .where('purpose', '=', purpose)
    .where('version', '=', version)
    .execute();
}
