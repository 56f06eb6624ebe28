/** Letting stations in and out. Everything leaves a row in the audit log. */
import type { X509Certificate } from 'node:crypto';
import { KaikaError } from '../../protocol/errors.ts';
import { writeAudit } from '../audit/entries.ts';
import type { Store } from '../store/open.ts';
import { holdPeople } from '../store/people.ts';
import {
  findStation,
  findStationNamed,
  insertStation,
  moveStation,
  revokeStation,
} from '../store/stations.ts';
import type { Queries } from '../store/store.ts';
import { together } from '../store/transaction.ts';
import { type Mandate, requireMandate, told } from './mandate.ts';

/**
 * Enrols a station by its client certificate. One that it had is revoked, which takes two people as revoking does; a branch that is left out stays.
 * @throws KaikaError `not-permitted` for a certificate that was revoked, or that another station has, and as `requireMandate`; `nothing-to-do`
 */
export async function enrolStation(
  store: Store,
  station: { readonly name: string; readonly certificate: X509Certificate; readonly branch?: string | null },
  mandate: Mandate,
  now: Date,
): Promise<void> {
  const { name, certificate } = station;
  const fingerprint = certificate.fingerprint256.replaceAll(':', '');
  await together(store, async (db) => {
    await holdPeople(db, now);
    const before = await findStationNamed(db, name);
    const needs = before === undefined ? 'one' : 'two';
    await requireMandate(db, mandate, 'manage-stations', { needs, now });
    const branch = station.branch === undefined ? (before?.branch ?? null) : station.branch;
    if (before?.fingerprint !== fingerprint) await revokeStation(db, name);
    if (!(await insertStation(db, { name, fingerprint, branch }))) await refuseKnown(db, fingerprint, name);
    const was =
      before === undefined ? {} : { before: { fingerprint: before.fingerprint, branch: before.branch } };
    const kind = before === undefined ? 'station-add' : 'station-certificate';
    await note(db, kind, name, mandate, now, { fingerprint, branch, ...was });
  });
}

async function refuseKnown(db: Queries, fingerprint: string, name: string): Promise<never> {
  const known = await findStation(db, fingerprint);
  if (known?.revoked === true)
    throw new KaikaError('not-permitted', 'this certificate was revoked: it never comes back');
  if (known?.name === name) throw new KaikaError('nothing-to-do', `${name} has this certificate already`);
  throw new KaikaError('not-permitted', `this certificate is ${known?.name ?? 'another station'}’s`);
}

/** Shuts a station out, at its next request. Two people. @throws KaikaError `not-found`, as `requireMandate` */
export async function shutStationOut(store: Store, name: string, mandate: Mandate, now: Date): Promise<void> {
  await together(store, async (db) => {
    await requireMandate(db, mandate, 'manage-stations', { needs: 'two', now });
    const revoked = await revokeStation(db, name);
    if (revoked.length === 0) throw notThere(name);
    await note(db, 'station-revoke', name, mandate, now, { revoked });
  });
}

/** @throws KaikaError `not-found`, as `requireMandate` */
export async function moveStationTo(
  store: Store,
  name: string,
  branch: string | null,
  mandate: Mandate,
  now: Date,
): Promise<void> {
  await together(store, async (db) => {
    await requireMandate(db, mandate, 'manage-stations', { needs: 'one', now });
    const before = await findStationNamed(db, name);
    if (before === undefined) throw notThere(name);
    await moveStation(db, name, branch);
    await note(db, 'station-move', name, mandate, now, { branch, before: { branch: before.branch } });
  });
}

function notThere(name: string): KaikaError {
  return new KaikaError('not-found', `there is no station ${name}`);
}

async function note(
  db: Queries,
  kind: 'station-add' | 'station-certificate' | 'station-revoke' | 'station-move',
  station: string,
  mandate: Mandate,
  now: Date,
  what: object,
): Promise<void> {
  const entry = { kind, station, operator: mandate.by, detail: { ...what, ...told(mandate) } };
  await writeAudit(db, entry, now);
}
