/** `keys` as a custodian types it, against a real token and store; and demonstration keys where a server says that it is none. */
import { readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { issueOver, openServerSite, SECRET, type ServerInstance, type Site } from '../../support/site.ts';
import { typed } from '../../support/typed.ts';
import { ENABLE } from '../../support/visits.ts';

let site: Site;
let server: ServerInstance;
beforeAll(async () => {
  site = await openServerSite('sqlite');
  server = await site.start();
});
afterAll(() => site?.close());

describe('the life of a version, beside a running server', () => {
  it('made, activated, used at once, on cards, gone back from, retired', async () => {
    const station = await site.station('keys', [server.port]);
    const first = await issueOver(site, station, ENABLE, 'e-wallet');
    expect(await keys('list')).toMatch(
      /^app\/e-wallet\/mck issuer v1 des3-16 check value [0-9A-F]{6} active$/m,
    );
    expect(await keys('list')).toMatch(/^app\/e-wallet\/mck factory v1 .* transport key$/m);

    expect(await keys('make', '--key', 'app/e-wallet', ...BY)).toMatch(
      /app\/e-wallet\/mtk issuer v2 check value .* ready/,
    );
    expect(await keys('list')).toMatch(/^app\/e-wallet\/mck issuer v2 .* ready$/m);
    const still = await issueOver(site, station, ENABLE, 'e-wallet');
    expect(still.outcome.apps).toMatchObject([{ keyVersions: { mck: 1 } }]);

    expect(await keys('activate', '--key', 'app/e-wallet', '--version', '2', ...BY)).toContain(
      'use version 2',
    );
    // The running server is not told: it looks.
    const second = await issueOver(site, station, ENABLE, 'e-wallet');
    expect(second.outcome.apps).toMatchObject([{ keyVersions: { mck: 2, mtk: 2 } }]);
    expect(await keys('report', '--key', 'app/e-wallet')).toContain('app/e-wallet/mck v1: 2 cards (earlier)');
    const listed = await keys('report', '--key', 'app/e-wallet', '--version', '1');
    expect(listed.split('\n').slice(0, 2).sort()).toEqual(
      [first.identification, still.identification].sort(),
    );
    expect(await keys('report', '--key', 'app/e-wallet', '--version', '1', '--limit', '1')).toMatch(
      /--after \d{16}/,
    );

    await failed(keys('retire', '--key', 'app/e-wallet', '--version', '1', ...BY)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is or may be on 2 cards'),
    });
    expect(await keys('rollback', '--key', 'app/e-wallet', ...BY)).toContain('use version 1');
    expect((await issueOver(site, station, ENABLE, 'e-wallet')).outcome.apps).toMatchObject([
      { keyVersions: { mck: 1 } },
    ]);
    expect(await keys('make', '--key', 'app/transit/mck', ...BY)).toContain('v2');
    expect(await keys('retire', '--key', 'app/transit/mck', '--version', '2', ...BY)).toContain('retired');
    await failed(keys('activate', '--key', 'app/transit/mck', '--version', '2', ...BY)).toMatchObject({
      code: 1,
    });
  });

  it('is on record: each change with who answers for it, why, and the system user who typed it', async () => {
    const { store } = site.rig.context;
    const rows = await store.selectFrom('audit').selectAll().where('kind', 'like', 'key-%').execute();
    const typed = rows.filter(({ kind }) => kind !== 'key-adopt');
    expect(new Set(typed.map(({ kind }) => kind))).toEqual(
      new Set(['key-make', 'key-activate', 'key-retire']),
    );
    for (const { operator, detail } of typed) {
      expect(operator).toBe('custodian');
      expect(JSON.parse(detail)).toMatchObject({ by: userInfo().username, reason: 'the yearly change' });
    }
  });

  it.each([
    [['activate', '--key', 'app/e-wallet'], 'needs --key KEY, --operator ID and --reason'],
    [['activate', '--key', 'app/e-wallet', ...BY], 'needs --version'],
    [['retire', '--key', 'nonsense', '--version', '1', ...BY], 'is no key'],
    [['activate', '--key', 'app/e-wallet', '--version', '0', ...BY], 'is no number'],
    [
      ['make', '--key', 'app/e-wallet', '--operator', 'nobody', '--reason', 'because of it'],
      'operator or secret is wrong',
    ],
    [['activate', '--key', 'app/e-wallet', '--version', '2', ...AS_CLERK], 'their role is supervisor'],
    [['forget'], 'keys list, make, activate'],
  ])('%j is refused with a sentence', async (words, sentence) => {
    await failed(keys(...words)).toMatchObject({ code: 1, stderr: expect.stringContaining(sentence) });
  });
});

it('status says whose the vault is: where it is the server’s child, the server’s user can read PIN and token', async () => {
  const { stdout } = await command(site.config, 'status');
  expect(stdout.match(/^Vault .*$/gm)).toEqual([
    'Vault    this user: who has this user can read PIN and token',
  ]);
  const config = z
    .object({ vault: z.object({ pinFile: z.string(), softhsmConf: z.string() }) })
    .parse(JSON.parse(readFileSync(site.config, 'utf8')));
  for (const file of Object.values(config.vault))
    expect(readFileSync(resolve(dirname(site.config), file)).length).toBeGreaterThan(0);
});

it('a type whose cards all have the same transport keys is called weak, and no other', async () => {
  const { stdout } = await command(site.config, 'status');
  expect([...stdout.matchAll(/^Type {5}(\S+): WEAK/gm)].map(([, type]) => type)).toEqual(['jcop-scp03']);
});

describe('demonstration keys', () => {
  it('are said by status, and by every way keys go to a card of each type', async () => {
    const { stdout } = await command(site.config, 'status');
    expect(stdout).toContain('demonstration keys: they protect nothing');
    expect(stdout).toContain(
      'Type     demo-scp03: new app keys through one wiped buffer of the vault process',
    );
    expect(stdout).toContain('Type     demo-scp03: new domain keys wrapped inside the token');
    expect(stdout).toContain('Type     demo-scp02: new domain keys through one wiped buffer');
  });

  it('serve nobody where the configuration does not say that it is a demo', async () => {
    const config: object = JSON.parse(readFileSync(site.config, 'utf8'));
    const file = join(site.rig.folder, 'production.json');
    writeFileSync(file, JSON.stringify({ ...config, demo: false }));
    for (const words of [
      ['serve'],
      ['status'],
      ['keys', 'list'],
      ['keys', 'make', '--key', 'app/e-wallet', ...BY],
    ])
      await failed(command(file, ...words)).toMatchObject({
        // A service manager must not start it again.
        code: words[0] === 'serve' ? 78 : 1,
        stderr: expect.stringContaining('are a demonstration'),
      });
    await failed(command(file, 'init')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^missing {2}vault: .*demonstration/m),
    });
  });
});

const AS_CLERK = ['--operator', 'clerk', '--reason', 'the yearly change'];
const BY = ['--operator', 'custodian', '--reason', 'the yearly change'];

/** Standard input has the custodian's secret, wanted or not. */
const command = (config: string, ...words: string[]) => typed(config, words, [SECRET]);

const keys = async (...words: string[]) => {
  const { stdout, stderr } = await command(site.config, 'keys', ...words);
  return stdout + stderr;
};

const failed = (work: Promise<unknown>) => expect(work).rejects;
