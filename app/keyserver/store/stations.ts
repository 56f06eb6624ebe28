/** Stations in the store: one client certificate each. */
import type { Queries, Reads } from './store.ts';
import type { StationsTable } from './tables.ts';

export interface EnrolledStation {
  readonly name: string;
  readonly fingerprint: string;
  readonly revoked: boolean;
  /** Null where a site has none. */
  readonly branch: string | null;
}

/** The station with this certificate, also a revoked one. `fingerprint`: SHA-256 of the certificate, upper-case hexadecimal. */
export async function findStation(db: Reads, fingerprint: string): Promise<EnrolledStation | undefined> {
  const rows = db.selectFrom('stations').selectAll().where('fingerprint', '=', fingerprint);
  const row = await rows.executeTakeFirst();
  return row && stationOf(row);
}

/** The station of this name that may come; undefined where none may. */
export async function findStationNamed(db: Reads, name: string): Promise<EnrolledStation | undefined> {
  const rows = db.selectFrom('stations').selectAll().where('name', '=', name).where('revoked', '=', 0);
  const row = await rows.executeTakeFirst();
  return row && stationOf(row);
}

/** Every station, in the order of their names. */
export async function listStations(db: Reads): Promise<EnrolledStation[]> {
  const rows = await db.selectFrom('stations').selectAll().orderBy('name').orderBy('fingerprint').execute();
  return rows.map(stationOf);
}

function stationOf({ name, fingerprint, revoked, branch }: StationsTable): EnrolledStation {
  return { name, fingerprint, revoked: revoked !== 0, branch };
}

/** A new certificate. False when it stands there already. */
export async function insertStation(
  db: Queries,
  { name, fingerprint, branch }: Omit<EnrolledStation, 'revoked'>,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('stations')
    .values({ fingerprint, name, revoked: 0, branch })
    .onConflict((conflict) => conflict.column('fingerprint').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Ends the certificate of this name for good: its row stays, so that it can never be enrolled again. Gives the ones that were good. */
export async function revokeStation(db: Queries, name: string): Promise<readonly string[]> {
  const good = db
    .updateTable('stations')
    .set({ revoked: 1 })
    .where('name', '=', name)
    .where('revoked', '=', 0);
  return (await good.returning('fingerprint').execute()).map(({ fingerprint }) => fingerprint);
}

/** Whose branch the station is from now on. Gives false when there is no such station. */
export async function moveStation(db: Queries, name: string, branch: string | null): Promise<boolean> {
  const moved = await db
    .updateTable('stations')
    .set({ branch })
    .where('name', '=', name)
    .where('revoked', '=', 0)
    .executeTakeFirst();
  return moved.numUpdatedRows > 0n;
}
