/** People and stations from the first site admin on, as somebody types it at the server's terminal. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeAuthority } from '../../../app/demo/pki.ts';
import { openServerSite, SECRET, type Site } from '../../support/site.ts';
import { typed } from '../../support/typed.ts';

let site: Site;
beforeAll(async () => {
  site = await openServerSite('sqlite');
});
afterAll(() => site?.close());

it('from nobody to a counter: the first admin at init, a second one, a supervisor, a clerk, a station', async () => {
  await failed(init()).toMatchObject({ stdout: expect.stringMatching(/^missing {2}people: no site admin/m) });
  await failed(init(['--admin', 'zhao', '--name', '赵敏'], ['short'])).toMatchObject({
    stdout: expect.stringMatching(/^missing {2}people: a secret needs 8/m),
  });
  expect((await init(['--admin', 'zhao', '--name', '赵敏'], [ADMINS])).stdout).toMatch(
    /^ok {7}people: 赵敏 is site admin/m,
  );
  await failed(init(['--admin', 'thief', '--name', 'Thief'], [ADMINS])).toMatchObject({
    stdout: expect.stringMatching(/^missing {2}people: there is a site admin already/m),
  });
  expect((await init()).stdout).toMatch(/^ok {7}people: 1 site admin$/m);
  // Whoever has the machine helps an admin who forgot their secret; that is on record.
  const recover = ['--admin', 'zhao', '--name', '赵敏', '--recover'];
  expect((await init(recover, ['a secret for a day'])).stdout).toMatch(/^ok {7}people: 赵敏 is site admin/m);
  await command(['operator', 'own-secret', '--operator', 'zhao'], ['a secret for a day', ADMINS]);

  const person = (id: string, name: string, role: string) => ['--id', id, '--name', name, '--role', role];
  // One admin names the second one alone; afterwards it takes both.
  const deputys = await given(['add', ...person('qian', '钱进', 'site-admin'), ...BY], [ADMINS]);
  await command(['operator', 'own-secret', '--operator', 'qian'], [deputys, DEPUTYS]);
  await failed(
    command(['operator', 'add', ...person('wang', '王芳', 'supervisor'), ...BY], [ADMINS]),
  ).toMatchObject({
    stderr: expect.stringContaining('this takes another site admin who agrees: --second ID'),
  });
  const wangs = await given(
    ['add', ...person('wang', '王芳', 'supervisor'), ...BY, ...AGREED],
    [ADMINS, DEPUTYS],
  );
  await given(['add', ...person('li', '李明', 'operator'), '--branch', 'North', ...BY], [ADMINS]);
  expect((await command(['operator', 'list'])).stdout.split('\n')).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^li, 李明, operator, North, has a one-time secret until \d{4}-/),
      'qian, 钱进, site-admin, every branch',
      expect.stringMatching(/^wang, 王芳, supervisor, every branch, has a one-time secret until/),
    ]),
  );

  // A one-time secret answers for nothing.
  await failed(command(['keys', 'fix', '--operator', 'wang', ...WHY], [wangs])).toMatchObject({
    stderr: expect.stringContaining('first choose a secret of your own'),
  });

  await command(['operator', 'disable', '--id', 'wang', ...BY, ...WHY], [ADMINS]);
  expect((await command(['operator', 'list'])).stdout).toContain(
    'wang, 王芳, supervisor, every branch, shut out',
  );
  await command(['operator', 'enable', '--id', 'wang', ...BY, ...AGREED, ...WHY], [ADMINS, DEPUTYS]);
  await command(['operator', 'unlock', '--id', 'wang', ...BY], [ADMINS]);
  await command(['operator', 'role', '--id', 'li', '--role', 'auditor', ...BY, ...AGREED], [ADMINS, DEPUTYS]);
  await given(['secret', '--id', 'li', ...BY, ...AGREED], [ADMINS, DEPUTYS]);
});

it('a station is enrolled, moved and shut out; two admins for that', async () => {
  const certificate = join(site.rig.folder, 'counter.pem');
  const authority = await makeAuthority('Some authority');
  writeFileSync(certificate, (await authority.issue({ name: 'counter', use: 'client' })).certificate);
  const add = ['station', 'add', '--name', 'counter', '--certificate', certificate, ...BY];
  await command(add, [ADMINS]);
  await command(['station', 'move', '--name', 'counter', '--branch', 'North', ...BY], [ADMINS]);
  expect((await command(['station', 'list'])).stdout).toMatch(/^counter, North, [0-9A-F]{64}$/m);
  const revoke = ['station', 'revoke', '--name', 'counter', ...BY, ...WHY];
  await failed(command(revoke, [ADMINS])).toMatchObject({ stderr: expect.stringContaining('--second ID') });
  await command([...revoke, ...AGREED], [ADMINS, DEPUTYS]);
  expect((await command(['station', 'list'])).stdout).toMatch(/^counter, North, [0-9A-F]{64}, revoked$/m);
  await failed(command(add, [ADMINS])).toMatchObject({ stderr: expect.stringContaining('never comes back') });
  await failed(command(['station', 'move', '--name', 'counter', ...BY], [ADMINS])).toMatchObject({
    stderr: expect.stringContaining('--no-branch'),
  });
});

it.each([
  ['nobody’s secret', [], 'Secret of zhao: there is no such line in standard input'],
  ['a wrong secret', ['something else'], 'operator or secret is wrong'],
  ['an empty line', [''], 'Secret of zhao: there is no such line in standard input'],
])('%s lets nobody do anything', async (_what, lines, sentence) => {
  const words = ['operator', 'disable', '--id', 'wang', ...BY, ...WHY];
  await failed(command(words, lines)).toMatchObject({ code: 1, stderr: expect.stringContaining(sentence) });
  expect((await command(['operator', 'list'])).stdout).not.toContain('shut out');
});

it.each([
  ['clerk', SECRET, ['operator', 'disable', '--id', 'wang'], 'their role is supervisor'],
  [
    'custodian',
    SECRET,
    ['station', 'move', '--name', 'counter', '--branch', 'South'],
    'their role is key-custodian',
  ],
  ['zhao', 'the secret of the admin', ['keys', 'fix'], 'their role is site-admin'],
  ['zhao', 'the secret of the admin', ['release', '--card', '1234567812345678'], 'their role is site-admin'],
])('%s may not do what another role does: %s', async (operator, secret, words, sentence) => {
  await failed(command([...words, '--operator', operator, ...WHY], [secret])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(sentence),
  });
});

it('an admin alone does not agree with themselves', async () => {
  const words = ['station', 'revoke', '--name', 'counter', ...BY, '--second', 'zhao', ...WHY];
  await failed(command(words, [ADMINS, ADMINS])).toMatchObject({
    stderr: expect.stringContaining('has to be somebody else'),
  });
});

it('no secret stands in the store’s file', () => {
  const store = site.rig.store;
  if (store.kind !== 'sqlite') throw new Error('a file is looked at');
  const bytes = readFileSync(store.file, 'latin1');
  for (const secret of [ADMINS, DEPUTYS, SECRET]) expect(bytes).not.toContain(secret);
});

const ADMINS = 'the secret of the admin';
const DEPUTYS = 'the secret of the deputy';
const BY = ['--operator', 'zhao'];
const AGREED = ['--second', 'qian'];
const WHY = ['--reason', 'as they asked for'];

const command = (words: readonly string[], lines: readonly string[] = []) => typed(site.config, words, lines);
const init = (words: readonly string[] = [], lines: readonly string[] = []) =>
  command(['init', ...words], lines);
const failed = (work: Promise<unknown>) => expect(work).rejects;

/** The secret that a command prints. */
async function given(words: readonly string[], lines: readonly string[]): Promise<string> {
  const { stdout } = await command(['operator', ...words], lines);
  expect(stdout).toMatch(/^(?:[a-z0-9]{4}-){3}[a-z0-9]{4}\n$/);
  return stdout.trim();
}
