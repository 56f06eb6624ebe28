/** Who is signed in, where, and until when. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashSecret, secretMatches } from '../../../app/keyserver/access/secrets.ts';
import { findSession, signIn } from '../../../app/keyserver/access/sessions.ts';
import { openSqliteStore, type Store } from '../../../app/keyserver/store/open.ts';
import { sharedFolder } from '../../support/folders.ts';
import { writeOperator } from '../../support/operators.ts';

const folder = sharedFolder('access');
let store: Store;
beforeAll(async () => {
  store = await openSqliteStore(join(folder, 'kaika.sqlite'));
  await writeOperator(store, { id: 'clerk', name: '李明', secret: SECRET });
});
afterAll(() => store.destroy());

describe('a session', () => {
  it('is found by its token until it ends, and says who and where', async () => {
    const { token, expires, operator } = await enter();
    expect(operator).toEqual({ id: 'clerk', name: '李明' });
    expect(await findSession(store, token, at(9.9))).toMatchObject({
      operator: { id: 'clerk', name: '李明' },
      station: 'counter-1',
    });
    expect(new Date(expires)).toEqual(at(10));
    expect(await findSession(store, token, at(10))).toBeUndefined();
  });

  it('is not found by anything else: not by the stored hash, not by part of the token', async () => {
    const { token } = await enter();
    const [row] = await store.selectFrom('sessions').select('token_hash').execute();
    for (const other of [row?.token_hash ?? '', token.slice(1), `${token}A`, '']) {
      expect(await findSession(store, other, NOW)).toBeUndefined();
    }
  });

  it('ends with a new secret, and when the operator may not any more', async () => {
    await writeOperator(store, { id: 'changing', name: 'x', secret: SECRET });
    const before = await enter('changing');
    await writeOperator(store, { id: 'changing', name: 'x', secret: 'another secret' });
    expect(await findSession(store, before.token, NOW)).toBeUndefined();
    const after = await enter('changing', 'another secret');
    expect(await findSession(store, after.token, NOW)).toBeDefined();
    await store.updateTable('operators').set({ disabled: 1 }).where('id', '=', 'changing').execute();
    expect(await findSession(store, after.token, NOW)).toBeUndefined();
    await expect(enter('changing', 'another secret')).rejects.toMatchObject({ code: 'sign-in-failed' });
  });

  it('that ran out is swept at the next sign-in', async () => {
    await enter('clerk', SECRET, at(-24));
    await enter();
    const rows = await store.selectFrom('sessions').select('expires').execute();
    expect(rows.every((row) => row.expires > NOW.toISOString())).toBe(true);
  });
});

describe('a secret', () => {
  it('is kept as scrypt with a salt of its own', async () => {
    const [one, two] = [await hashSecret(SECRET), await hashSecret(SECRET)];
    expect(one).toMatch(/^scrypt\$32768\$8\$1\$/);
    expect(one).not.toBe(two);
    expect(one).not.toContain(SECRET);
    expect(await secretMatches(SECRET, one)).toBe(true);
    expect(await secretMatches(`${SECRET} `, one)).toBe(false);
  });

  it.each(['', 'scrypt', 'md5$1$1$1$AA$AA', 'scrypt$2$8$1$AAAA$AAAA', 'scrypt$32768$8$1$$'])(
    'kept in another form never matches: "%s"',
    async (stored) => {
      expect(await secretMatches(SECRET, stored)).toBe(false);
    },
  );
});

const NOW = new Date('2026-03-01T08:00:00.000Z');

const at = (hours: number) => new Date(NOW.getTime() + hours * 3600 * 1000);

const SECRET = 'correct horse';

const enter = (operator = 'clerk', secret = SECRET, now = NOW) =>
  signIn(store, { station: 'counter-1' }, { apiLevel: 1, operator, secret }, now);
