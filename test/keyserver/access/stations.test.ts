/** Letting stations in and out: a certificate that was revoked never comes back, and each change has to be answered for. */
import { X509Certificate } from 'node:crypto';
import { userInfo } from 'node:os';
import { beforeAll, expect, it } from 'vitest';
import { makeAuthority } from '../../../app/demo/pki.ts';
import { Authority } from '../../../app/keyserver/access/authority.ts';
import type { Mandate } from '../../../app/keyserver/access/mandate.ts';
import { signIn } from '../../../app/keyserver/access/sessions.ts';
import { enrolStation, moveStationTo, shutStationOut } from '../../../app/keyserver/access/stations.ts';
import { DEFAULT_LIMITS } from '../../../app/keyserver/limits.ts';
import { openStore, type Store } from '../../../app/keyserver/store/open.ts';
import { refusal } from '../../support/issuer-steps.ts';
import { writeOperator } from '../../support/operators.ts';
import { onEveryStore, storePlaces } from '../../support/stores.ts';

onEveryStore((kind) => {
  const places = storePlaces(kind);
  let store: Store;
  beforeAll(async () => {
    store = await openStore(await places.empty());
    await writeOperator(store, { id: 'admin', name: 'admin', secret: SECRET, role: 'site-admin' });
    await writeOperator(store, { id: 'deputy', name: 'deputy', secret: SECRET, role: 'site-admin' });
    await writeOperator(store, { id: 'boss', name: 'boss', secret: SECRET });
    return () => store.destroy();
  });

  it('a new certificate takes the place of the old one, which never comes back', async () => {
    const [first, second] = [await certificate('counter'), await certificate('counter')];
    await enrol('counter', first, 'North');
    expect(await who(first)).toEqual({ station: 'counter', branch: 'North' });
    expect((await refusal(enrol('counter', first, undefined, BOTH))).code).toBe('nothing-to-do');
    // It revokes the old one, which takes two.
    expect((await refusal(enrol('counter', second))).code).toBe('not-permitted');
    await enrol('counter', second, undefined, BOTH);
    expect(await who(first)).toBe('server-refused-certificate');
    expect(await who(second)).toEqual({ station: 'counter', branch: 'North' });
    for (const name of ['counter', 'other'])
      await expect(enrol(name, first, undefined, BOTH)).rejects.toThrow('was revoked');
    expect(await who(second)).toEqual({ station: 'counter', branch: 'North' });
  });

  it('a certificate is one station’s', async () => {
    const own = await certificate('one');
    await enrol('one', own);
    await expect(enrol('two', own)).rejects.toThrow('one’s');
  });

  it('a station that is shut out is refused from its next request on, and not let in again', async () => {
    const stolen = await certificate('stolen');
    await enrol('stolen', stolen);
    expect((await refusal(shutStationOut(store, 'stolen', BY, NOW))).code).toBe('not-permitted');
    await shutStationOut(store, 'stolen', BOTH, NOW);
    expect(await who(stolen)).toBe('server-refused-certificate');
    expect((await refusal(enrol('stolen', stolen))).code).toBe('not-permitted');
    expect((await refusal(shutStationOut(store, 'stolen', BOTH, NOW))).code).toBe('not-found');
    expect((await refusal(moveStationTo(store, 'stolen', 'North', BY, NOW))).code).toBe('not-found');
  });

  it('enrolled twice at once under one name, one certificate is good', async () => {
    const both = [await certificate('twice'), await certificate('twice')];
    await Promise.allSettled(both.map((one) => enrol('twice', one)));
    const found = await Promise.all(both.map(who));
    expect(found.filter((one) => typeof one === 'object')).toHaveLength(1);
  });

  it('who is of a branch works at its stations, until one of both is moved', async () => {
    await enrol('north', await certificate('north'), 'North');
    await writeOperator(store, { id: 'clerk', name: 'clerk', secret: SECRET, branch: 'North' });
    const enter = (station: string, branch?: string) =>
      signIn(
        store,
        branch === undefined ? { station } : { station, branch },
        { apiLevel: 1, operator: 'clerk', secret: SECRET },
        NOW,
      );
    expect((await refusal(enter('south', 'South'))).code).toBe('not-permitted');
    expect(await enter('anywhere')).toHaveProperty('token');
    const { token } = await enter('north', 'North');
    const authority = new Authority({ store, now: () => NOW, limits: DEFAULT_LIMITS });
    const at = { station: 'north', branch: 'North' };
    expect(await authority.operator(at, token, 'issue')).toEqual({ ...at, operator: 'clerk' });
    const moved = { station: 'north', branch: 'South' };
    expect((await refusal(authority.operator(moved, token, 'issue'))).code).toBe('session-expired');
  });

  it('only a site admin does any of it, and everything is on record', async () => {
    const own = await certificate('mine');
    for (const by of ['boss', 'nobody']) {
      expect((await refusal(enrol('mine', own, null, { by }))).code).toBe('not-permitted');
      expect((await refusal(shutStationOut(store, 'one', { by }, NOW))).code).toBe('not-permitted');
      expect((await refusal(moveStationTo(store, 'one', 'North', { by }, NOW))).code).toBe('not-permitted');
    }
    expect(await who(own)).toBe('server-refused-certificate');
    await moveStationTo(store, 'one', 'North', { ...BY, reason: 'the branch moved' }, NOW);
    await shutStationOut(store, 'one', { ...BOTH, reason: 'it was stolen' }, NOW);
    const rows = await store.selectFrom('audit').selectAll().where('station', '=', 'one').execute();
    const details = Object.fromEntries(rows.map(({ kind, detail }) => [kind, JSON.parse(detail)]));
    const by = userInfo().username;
    expect(details).toMatchObject({
      'station-add': { by, branch: null, fingerprint: expect.stringMatching(/^[0-9A-F]{64}$/) },
      'station-move': { by, branch: 'North', before: { branch: null }, reason: 'the branch moved' },
      'station-revoke': { by, second: 'deputy', reason: 'it was stolen', revoked: [expect.any(String)] },
    });
    expect(new Set(rows.map(({ operator }) => operator))).toEqual(new Set(['admin']));
  });

  const enrol = (name: string, of: X509Certificate, branch?: string | null, mandate: Mandate = BY) =>
    enrolStation(
      store,
      branch === undefined ? { name, certificate: of } : { name, certificate: of, branch },
      mandate,
      NOW,
    );
  /** What the authority makes of a certificate. */
  const who = (of: X509Certificate) =>
    new Authority({ store, now: () => NOW, limits: DEFAULT_LIMITS })
      .station(of.fingerprint256.replaceAll(':', ''))
      .catch(({ code }: { code: string }) => code);
});

const authority = makeAuthority('Test authority');
const certificate = async (name: string) =>
  new X509Certificate((await (await authority).issue({ name, use: 'client' })).certificate);

const NOW = new Date('2026-03-01T08:00:00.000Z');
const BY = { by: 'admin' };
const BOTH = { by: 'admin', second: 'deputy' };
const SECRET = 'correct horse';
