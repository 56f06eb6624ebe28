/** People and stations that a test has at once, without anybody who lets them in. */
import type { X509Certificate } from 'node:crypto';
import { hashSecret } from '../../app/keyserver/access/secrets.ts';
import type { Store } from '../../app/keyserver/store/open.ts';
import { changeOperator, endSessionsOf, insertOperator } from '../../app/keyserver/store/people.ts';
import { insertStation, revokeStation } from '../../app/keyserver/store/stations.ts';
import { together } from '../../app/keyserver/store/transaction.ts';
import type { Role } from '../../app/protocol/roles.ts';

interface Somebody {
  readonly id: string;
  readonly name: string;
  readonly secret: string;
  /** A supervisor unless said otherwise: that is what most tests of a counter need. */
  readonly role?: Role;
  readonly branch?: string;
}

/** Adds somebody, or gives them this name, role and secret, which ends their sessions. */
export async function writeOperator(store: Store, somebody: Somebody): Promise<void> {
  const { id, name, secret, role = 'supervisor', branch = null } = somebody;
  const known = { name, role, branch, secretHash: await hashSecret(secret), secretUntil: null };
  await together(store, async (db) => {
    if (await insertOperator(db, { id, ...known })) return;
    await changeOperator(db, id, { ...known, disabled: false });
    await endSessionsOf(db, id);
  });
}

/** Enrols a station; one that it had under this name is revoked. */
export async function writeStation(
  store: Store,
  name: string,
  certificate: X509Certificate,
  branch: string | null = null,
): Promise<void> {
  const fingerprint = certificate.fingerprint256.replaceAll(':', '');
  await together(store, async (db) => {
    await revokeStation(db, name);
    await insertStation(db, { name, fingerprint, branch });
  });
}
