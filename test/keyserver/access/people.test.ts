/** Letting people in and out: who may, what it ends, and that each has to answer for it. */
import { userInfo } from 'node:os';
import { beforeAll, expect, it } from 'vitest';
import type { Mandate } from '../../../app/keyserver/access/mandate.ts';
import {
  addFirstAdmin,
  addPerson,
  changeRole,
  giveSecret,
  oneTimeSecret,
  recoverAdmin,
  setDisabled,
  unlock,
} from '../../../app/keyserver/access/people.ts';
import { findSession, signIn } from '../../../app/keyserver/access/sessions.ts';
import { openStore, type Store } from '../../../app/keyserver/store/open.ts';
import { listOperators } from '../../../app/keyserver/store/people.ts';
import type { Role } from '../../../app/protocol/roles.ts';
import { refusal } from '../../support/issuer-steps.ts';
import { writeOperator } from '../../support/operators.ts';
import { onEveryStore, storePlaces } from '../../support/stores.ts';

onEveryStore((kind) => {
  const places = storePlaces(kind);
  let store: Store;
  beforeAll(async () => {
    store = await openStore(await places.empty());
    return () => store.destroy();
  });

  const person = (id: string, role: Role) => {
    const known = { id, name: id, role, branch: null, secret: SECRET, secretUntil: null };
    return (mandate: Mandate) => addPerson(store, known, mandate, NOW);
  };

  it('the first site admin is let in by whoever has the machine, once; everybody else by one, and by two where they can do more', async () => {
    const first = (id: string) => addFirstAdmin(store, { id, name: id, secret: SECRET }, NOW);
    await first('admin');
    expect(await code(first('other'))).toBe('not-permitted');
    // The first one names the second one alone.
    await person('deputy', 'site-admin')(BY);
    await person('clerk', 'operator')(BY);
    for (const mandate of [BY, { by: 'admin', second: 'admin' }, { by: 'admin', second: 'clerk' }])
      expect(await code(person('boss', 'supervisor')(mandate))).toBe('not-permitted');
    await person('boss', 'supervisor')(BOTH);
    for (const by of ['clerk', 'boss', 'nobody'])
      expect(await code(person('friend', 'operator')({ by }))).toBe('not-permitted');
    expect(await code(person('clerk', 'operator')(BY))).toBe('not-permitted');
    expect((await listOperators(store)).map(({ id, role }) => `${id} ${role}`)).toEqual([
      'admin site-admin',
      'boss supervisor',
      'clerk operator',
      'deputy site-admin',
    ]);
  });

  it('one admin alone does not become two: by a secret, by letting somebody in again, by shutting the other out', async () => {
    for (const change of [
      () => giveSecret(store, 'boss', 'another secret', BY, NOW),
      () => giveSecret(store, 'deputy', 'another secret', BY, NOW),
      () => changeRole(store, 'clerk', { role: 'supervisor' }, BY, NOW),
      () => setDisabled(store, 'boss', false, BY, NOW),
    ])
      expect(await code(change())).toBe('not-permitted');
    await setDisabled(store, 'deputy', true, BY, NOW);
    expect(await code(person('friend', 'supervisor')(BY))).toBe('not-permitted');
    expect(await code(person('friend', 'supervisor')(BOTH))).toBe('not-permitted');
    await recoverAdmin(store, { id: 'deputy', name: 'deputy', secret: SECRET }, NOW);
  });

  it('nobody does it to themselves, nor agrees to it', async () => {
    const to = { role: 'auditor' } as const;
    for (const change of [
      () => setDisabled(store, 'admin', true, BY, NOW),
      () => changeRole(store, 'admin', to, BOTH, NOW),
      () => changeRole(store, 'deputy', to, BOTH, NOW),
      () => unlock(store, 'admin', BY, NOW),
    ])
      await expect(change()).rejects.toThrow('has to leave this to others');
  });

  it.each([
    ['shut out', () => setDisabled(store, 'clerk', true, BY, NOW)],
    ['given another role', () => changeRole(store, 'clerk', { role: 'supervisor' }, BOTH, NOW)],
    ['given another secret', () => giveSecret(store, 'clerk', 'another secret', BY, NOW)],
  ])('whoever is %s has nothing that they were signed in for, from that moment', async (_what, change) => {
    await clerk();
    const { token } = await enter();
    expect(await findSession(store, token, NOW)).toBeDefined();
    await change();
    expect(await findSession(store, token, NOW)).toBeUndefined();
  });

  it('somebody who was shut out signs in again only when they are let in', async () => {
    await clerk();
    await setDisabled(store, 'clerk', true, BY, NOW);
    expect((await refusal(enter())).code).toBe('sign-in-failed');
    await setDisabled(store, 'clerk', false, BY, NOW);
    expect(await enter()).toHaveProperty('token');
  });

  it('two admins who shut each other out at once do not both succeed', async () => {
    const [one, other] = await Promise.allSettled([
      setDisabled(store, 'deputy', true, { by: 'admin' }, NOW),
      setDisabled(store, 'admin', true, { by: 'deputy' }, NOW),
    ]);
    expect([one.status, other.status].sort()).toEqual(['fulfilled', 'rejected']);
    const left = (await listOperators(store)).filter(
      ({ role, disabled }) => role === 'site-admin' && !disabled,
    );
    expect(left).toHaveLength(1);
    for (const id of ['admin', 'deputy']) await recoverAdmin(store, { id, name: id, secret: SECRET }, NOW);
  });

  it('the last one who can let people in is not shut out', async () => {
    const alone = await openStore(await places.empty());
    const named = (id: string, role: Role) => ({ id, name: id, role, branch: null, secret: SECRET });
    await addFirstAdmin(alone, named('admin', 'site-admin'), NOW);
    await addPerson(alone, { ...named('second', 'site-admin'), secretUntil: null }, BY, NOW);
    await setDisabled(alone, 'admin', true, { by: 'second' }, NOW);
    // Whoever is shut out shuts nobody out.
    expect(await code(setDisabled(alone, 'second', true, BY, NOW))).toBe('not-permitted');
    await alone.destroy();
  });

  it('the first site admin may be somebody who was shut out before: then they can sign in', async () => {
    const older = await openStore(await places.empty());
    await writeOperator(older, { id: 'li', name: 'Li', secret: SECRET, role: 'operator' });
    await older.updateTable('operators').set({ disabled: 1 }).execute();
    await addFirstAdmin(older, { id: 'li', name: 'Li', secret: 'one of my own' }, NOW);
    const request = { apiLevel: 1, operator: 'li', secret: 'one of my own' } as const;
    expect(await signIn(older, HERE, request, NOW)).toHaveProperty('token');
    await older.destroy();
  });

  it('where no admin can sign in any more whoever has the machine lets one in, which is on record as nothing else', async () => {
    await recoverAdmin(store, { id: 'deputy', name: 'Deputy', secret: 'found again' }, NOW);
    expect(
      await signIn(store, HERE, { apiLevel: 1, operator: 'deputy', secret: 'found again' }, NOW),
    ).toHaveProperty('token');
    const rows = await store.selectFrom('audit').selectAll().where('kind', '=', 'admin-recover').execute();
    expect(rows.map(({ operator }) => operator)).toContain('deputy');
  });

  it('a secret that somebody else made is good for choosing one’s own, once, and for nothing else', async () => {
    const given = oneTimeSecret();
    await clerk();
    await giveSecret(store, 'clerk', given, BY, NOW);
    expect((await refusal(enter(given))).code).toBe('secret-change-needed');
    expect((await refusal(enter(given, given))).code).toBe('secret-change-needed');
    expect(await enter(given, 'one of my own')).toHaveProperty('token');
    // The answer was lost, and the station asks again.
    expect(await enter(given, 'one of my own')).toHaveProperty('token');
    expect((await refusal(enter(given, 'another of mine'))).code).toBe('sign-in-failed');
    expect(await enter('one of my own')).toHaveProperty('token');
  });

  it('such a secret is good for seven days', async () => {
    const given = oneTimeSecret();
    await clerk();
    await giveSecret(store, 'clerk', given, BY, NOW);
    const at = (days: number) => new Date(NOW.getTime() + days * 24 * 3600_000);
    expect(await code(enter(given, 'one of my own', at(7.01)))).toBe('sign-in-failed');
    expect(await enter(given, 'one of my own', at(6.99))).toHaveProperty('token');
  });

  it('used twice at once one of both has chosen', async () => {
    const given = oneTimeSecret();
    await clerk();
    await giveSecret(store, 'clerk', given, BY, NOW);
    const both = await Promise.allSettled([
      enter(given, 'the first secret'),
      enter(given, 'the second secret'),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const chosen = both[0].status === 'fulfilled' ? 'the first secret' : 'the second secret';
    expect(await enter(chosen)).toHaveProperty('token');
  });

  it('who signs in while they get another secret, or are shut out, is not signed in afterwards', async () => {
    await clerk();
    const rows = () => store.selectFrom('sessions').selectAll().where('operator', '=', 'clerk').execute();
    await Promise.allSettled([
      enter(),
      enter(),
      giveSecret(store, 'clerk', 'from the admin', BY, NOW),
      enter(),
    ]);
    expect(await rows()).toEqual([]);
    await clerk();
    await Promise.allSettled([
      enter(),
      enter(SECRET, 'a thief’s own'),
      setDisabled(store, 'clerk', true, BY, NOW),
    ]);
    expect(await rows()).toEqual([]);
  });

  it('one-time secrets can be read aloud, and are never the same', () => {
    const made = Array.from({ length: 200 }, oneTimeSecret);
    for (const one of made) expect(one).toMatch(/^(?:[a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}$/);
    expect(new Set(made).size).toBe(200);
  });

  it('wrong secrets are forgotten when somebody is unlocked, at every station', async () => {
    await clerk();
    for (let time = 0; time < 5; time += 1) await refusal(enter('wrong'));
    expect((await refusal(enter())).code).toBe('sign-in-wait');
    await unlock(store, 'clerk', BY, NOW);
    expect(await enter()).toHaveProperty('token');
  });

  it('whoever is not there cannot be changed', async () => {
    for (const change of [
      () => setDisabled(store, 'nobody', true, BY, NOW),
      () => giveSecret(store, 'nobody', 'a long secret', BY, NOW),
      () => unlock(store, 'nobody', BY, NOW),
    ])
      expect((await refusal(change())).code).toBe('not-found');
  });

  it('everything is on record: who did it, to whom, what and why; and no secret', async () => {
    await changeRole(
      store,
      'boss',
      { role: 'auditor', branch: 'North' },
      { ...BOTH, reason: 'moved to revision' },
      NOW,
    );
    const rows = await store.selectFrom('audit').selectAll().orderBy('at').execute();
    expect(rows.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining([
        ...['operator-add', 'operator-secret', 'operator-role', 'operator-disable', 'operator-enable'],
        ...['operator-unlock', 'operator-own-secret'],
      ]),
    );
    const told = rows.filter(({ operator, kind }) => operator === 'boss' && kind === 'operator-role');
    expect(told.map(({ detail }): unknown => JSON.parse(detail))).toEqual([
      {
        by: userInfo().username,
        role: 'auditor',
        branch: 'North',
        before: { role: 'supervisor', branch: null },
        doneBy: 'admin',
        second: 'deputy',
        reason: 'moved to revision',
      },
    ]);
    const text = JSON.stringify(rows);
    for (const secret of [SECRET, 'one of my own', 'another secret']) expect(text).not.toContain(secret);
  });

  const clerk = () => writeOperator(store, { id: 'clerk', name: 'clerk', secret: SECRET, role: 'operator' });
  const enter = (secret = SECRET, newSecret?: string, now = NOW) => {
    const request = { apiLevel: 1, operator: 'clerk', secret } as const;
    return signIn(store, HERE, newSecret === undefined ? request : { ...request, newSecret }, now);
  };
});

const code = async (work: Promise<unknown>) => (await refusal(work)).code;

const HERE = { station: 'counter-1' };
const NOW = new Date('2026-03-01T08:00:00.000Z');
const BY = { by: 'admin' };
const BOTH = { by: 'admin', second: 'deputy' };
const SECRET = 'correct horse';
