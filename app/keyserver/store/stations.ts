/** Stations in the store: one client certificate each. */
import type { Queries } from './store.ts';

interface EnrolledStation {
  readonly name: string;
  readonly revoked: boolean;
}

/** The station with this certificate, also a revoked one. `fingerprint`: SHA-256 of the certificate, upper-case hexadecimal. */
export async function findStation(db: Queries, fingerprint: string): Promise<EnrolledStation | undefined> {
  const row = await db
    .selectFrom('stations')
    .select(['name', 'revoked'])
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
  return row === undefined ? undefined : { name: row.name, revoked: row.revoked !== 0 };
}

/** Writes a station's certificate in place of the one it had. Says whether it had one. */
export async function putStation(db: Queries, name: string, fingerprint: string): Promise<boolean> {
  const gone = await db.deleteFrom('stations').where('name', '=', name).executeTakeFirst();
  await db.insertInto('stations').values({ fingerprint, name, revoked: 0 }).execute();
  return gone.numDeletedRows > 0n;
}
