/** Whoever lets somebody in, or gives them another secret, has to answer for it: each leaves a row. */
import { X509Certificate } from 'node:crypto';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeAuthority } from '../../../app/demo/pki.ts';
import { enrolStation, writeOperator } from '../../../app/keyserver/access/enrolment.ts';
import { openSqliteStore, type Store } from '../../../app/keyserver/store/open.ts';
import { sharedFolder } from '../../support/folders.ts';

const folder = sharedFolder('enrolment');
let store: Store;
beforeAll(async () => {
  store = await openSqliteStore(join(folder, 'kaika.sqlite'));
});
afterAll(() => store.destroy());

it('an operator, a new secret, a station and its next certificate: who did it, what, for whom and when', async () => {
  for (const secret of SECRETS) await writeOperator(store, { id: 'zhang', name: '张伟', secret });
  const authority = await makeAuthority('Test authority');
  const prints: string[] = [];
  for (let at = 0; at < 2; at += 1) {
    const { certificate } = await authority.issue({ name: 'branch-7', use: 'client' });
    prints.push(new X509Certificate(certificate).fingerprint256.replaceAll(':', ''));
    await enrolStation(store, 'branch-7', new X509Certificate(certificate));
  }
  const [first, second] = prints;
  expect(await rows()).toEqual([
    { kind: 'operator-add', whom: 'zhang', at: true, detail: { by, name: '张伟' } },
    { kind: 'operator-secret', whom: 'zhang', at: true, detail: { by, name: '张伟' } },
    { kind: 'station-add', whom: 'branch-7', at: true, detail: { by, fingerprint: first } },
    { kind: 'station-certificate', whom: 'branch-7', at: true, detail: { by, fingerprint: second } },
  ]);
});

it('no row holds a secret', async () => {
  const text = JSON.stringify(await store.selectFrom('audit').selectAll().execute());
  for (const secret of SECRETS) expect(text).not.toContain(secret);
});

const by = userInfo().username;

const SECRETS = ['correct horse', 'battery staple'] as const;

async function rows() {
  const found = await store.selectFrom('audit').selectAll().execute();
  return found.map(({ kind, operator, station, at, detail }) => ({
    kind,
    whom: operator ?? station,
    at: Date.parse(at) > 0,
    detail: JSON.parse(detail) as unknown,
  }));
}
