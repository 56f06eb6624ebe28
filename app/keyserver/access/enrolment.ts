/** Letting operators and stations in. Each leaves a row in the audit log, with who sat at the server. */
import type { X509Certificate } from 'node:crypto';
import { writeAudit } from '../audit/entries.ts';
import type { Store } from '../store/open.ts';
import { putOperator } from '../store/people.ts';
import { putStation } from '../store/stations.ts';
import { together } from '../store/transaction.ts';
import { hashSecret } from './secrets.ts';

/** Adds an operator, or gives an existing one a new name and secret, which ends their sessions. */
export async function writeOperator(
  store: Store,
  operator: { readonly id: string; readonly name: string; readonly secret: string },
): Promise<void> {
  const { id, name, secret } = operator;
  const secretHash = await hashSecret(secret);
  await together(store, async (db) => {
    const known = await putOperator(db, { id, name, secretHash });
    const kind = known ? 'operator-secret' : 'operator-add';
    await writeAudit(db, { kind, operator: id, detail: { name } }, new Date());
  });
}

/** Enrols a station by the SHA-256 of its client certificate; a new certificate replaces the station's old one. */
export async function enrolStation(store: Store, name: string, certificate: X509Certificate): Promise<void> {
  const fingerprint = certificate.fingerprint256.replaceAll(':', '');
  await together(store, async (db) => {
    const known = await putStation(db, name, fingerprint);
    const kind = known ? 'station-certificate' : 'station-add';
    await writeAudit(db, { kind, station: name, detail: { fingerprint } }, new Date());
  });
}
