/** What somebody typed wrongly is one sentence; a fault of the program is told as one, with its stack and a status of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../../app/keyserver/cli/program.ts';

let folder: string;
beforeAll(writeFiles);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('what somebody typed', () => {
  it.each<[string, readonly string[], number, RegExp]>([
    ['no command', [], 2, /^Usage: npm run server -- /],
    ['no configuration', ['status'], 2, /--config/],
    ['a command that there is not', ['stats', ...WITH], 2, /^error: unknown command 'stats'/],
    [
      'an option that there is not',
      ['status', '--frobnicate', ...WITH],
      1,
      /^error: unknown option '--frobnicate'/,
    ],
    [
      'an option without its value',
      ['station', 'add', ...WITH, '--name'],
      1,
      /^error: option '--name <NAME>' argument missing/,
    ],
    [
      'a configuration that is not there',
      ['status', '--config', 'none.json'],
      1,
      /^none\.json: the configuration cannot be read$/m,
    ],
    [
      'a station without its certificate',
      ['station', 'add', ...WITH, '--name', 'a'],
      1,
      /^station add needs --name NAME, --certificate FILE and --operator ID/m,
    ],
    [
      'a certificate that is not there',
      ['station', 'add', ...WITH, '--name', 'a', '--certificate', 'none.pem', '--operator', 'li'],
      1,
      /^none\.pem: the certificate cannot be read\.$/m,
    ],
    [
      'a certificate that is none',
      ['station', 'add', ...WITH, '--name', 'a', '--certificate', 'no-certificate.pem', '--operator', 'li'],
      1,
      /^no-certificate\.pem is no certificate in PEM\.$/m,
    ],
    [
      'an operator without a name',
      ['operator', 'add', ...WITH, '--id', 'li'],
      1,
      /^operator add needs --id ID, --name NAME, --role ROLE and --operator ID/m,
    ],
    [
      'a role that there is not',
      ['operator', 'add', ...WITH, '--id', 'li', '--name', 'Li', '--role', 'boss', '--operator', 'zhao'],
      1,
      /^--role: operator, supervisor, site-admin, key-custodian, auditor\.$/m,
    ],
    ['operator without a command', ['operator', ...WITH], 1, /^operator list, add, secret, role/m],
    ['station without a command', ['station', ...WITH], 1, /^station list, add, revoke, move/m],
    [
      'somebody shut out without a reason',
      ['operator', 'disable', ...WITH, '--id', 'li', '--operator', 'zhao'],
      1,
      /^operator disable needs --id ID, --operator ID of a site admin and --reason TEXT/m,
    ],
    ['a keys command that there is not', ['keys', 'forget', ...WITH], 1, /^keys list, make, activate/m],
    [
      'a release without a reason',
      ['release', ...WITH, '--card', '1', '--operator', 'li'],
      1,
      /^release needs --card ID, --operator ID and --reason TEXT/m,
    ],
    [
      'an app that one person says is gone',
      ['release', ...WITH, '--card', '1', '--operator', 'li', '--reason', 'deleted', '--gone', 'e-wallet'],
      1,
      /^release --gone APP needs --second ID of another supervisor/m,
    ],
    [
      'a backup to nowhere',
      ['backup', ...WITH, '--to', 'none/a.backup'],
      1,
      /^The key server could not do it: /m,
    ],
  ])('%s: a sentence, and no stack', async (_name, words, status, sentence) => {
    const said = await typed(words);
    expect(said.stderr).toMatch(sentence);
    expect(said.stderr).not.toMatch(/^\s+at /m);
    expect(said.status).toBe(status);
  });

  it('help is no mistake', async () => {
    expect((await typed(['--help'])).status).toBe(0);
    expect((await typed(['release', '--help'])).status).toBe(0);
  });
});

it('a fault of the program comes out as one: what it was, where, and a status that no mistake has', () => {
  // As if a line of ours asked for a member of nothing.
  const plant = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const there = fs.existsSync;
    fs.existsSync = (file) => { if (file === 'config.json') undefined.member; return there(file); };
    syncBuiltinESMExports();`;
  const said = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(plant)}`, MAIN, 'init', ...WITH],
    { cwd: folder, encoding: 'utf8' },
  );
  expect(said.stderr).toMatch(/^This is a fault of the key server's program/);
  expect(said.stderr).toMatch(/TypeError: .*member/);
  expect(said.stderr).toMatch(/^\s+at .*init\.ts:\d+:\d+/m);
  expect(said.status).toBe(70);
});

function writeFiles(): void {
  folder = mkdtempSync(join(tmpdir(), 'kaika-mistakes-'));
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({
      listen: { host: '127.0.0.1', port: 0 },
      tls: { key: 'server.key', certificate: 'server.pem', stationAuthorities: 'ca.pem' },
      store: { kind: 'sqlite', file: 'data/kaika.sqlite' },
      vault: { module: 'module.so', tokenLabel: 'Kaika', pinFile: 'pin' },
    }),
  );
  writeFileSync(join(folder, 'no-certificate.pem'), 'a text\n');
}

const WITH = ['--config', 'config.json'];

/** The sources, not their bundle: the stack says where in them. */
const MAIN = join(import.meta.dirname, '../../../app/keyserver/main.ts');

async function typed(words: readonly string[]) {
  let stderr = '';
  const inFolder = words.map((word) =>
    word.endsWith('.json') || word.endsWith('.pem') ? join(folder, word) : word,
  );
  const status = await runCommand(inFolder, (text) => {
    stderr += text;
  });
  return { status, stderr: stderr.replaceAll(`${folder}/`, '') };
}
