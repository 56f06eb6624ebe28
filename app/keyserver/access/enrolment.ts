/** Writing operators and stations into the store. */
import type { X509Certificate } from 'node:crypto';
import type { Store } from '../store/open.ts';
import { hashSecret } from './secrets.ts';

/** Adds an operator, or gives an existing one a new name and secret, which ends their sessions. */
export async function writeOperator(
  store: Store,
  operator: { readonly id: string; readonly name: string; readonly secret: string },
): Promise<void> {
  const values = {
    name: operator.name,
    role: 'operator',
    secret_hash: await hashSecret(operator.secret),
    disabled: 0,
  };
  await store.transaction().execute(async (db) => {
    await db
      .insertInto('operators')
      .values({ id: operator.id, ...values })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
      .execute();
    await db.deleteFrom('sessions').where('operator', '=', operator.id).execute();
  });
}

/** Enrols a station by the SHA-256 of its client certificate; a new certificate replaces the station's old one. */
export async function enrolStation(store: Store, name: string, certificate: X509Certificate): Promise<void> {
  const fingerprint = certificate.fingerprint256.replaceAll(':', '');
  await store.transaction().execute(async (db) => {
    await db.deleteFrom('stations').where('name', '=', name).execute();
    await db.insertInto('stations').values({ fingerprint, name, revoked: 0 }).execute();
  });
}
