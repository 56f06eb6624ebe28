/** What the systemd unit and the container file name is there, and is enough for the program. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MUST_NOT_RESTART } from '../../../app/keyserver/cli/ending.ts';

const unit = readFileSync('resources/deploy/kaika-keyserver.service', 'utf8');
const vaultUnit = readFileSync('resources/deploy/kaika-vault.service', 'utf8');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kaika-deploy-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the container', () => {
  it('takes in what the program needs: from its folders alone it starts', async () => {
    const copied = [...container.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    expect(copied).toEqual(['package.json', 'package-lock.json', 'app', 'resources']);
    for (const name of copied) cpSync(name, join(folder, name), { recursive: true });
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    const [program = ''] = /(?<=^ENTRYPOINT \["node", "--disable-sigusr1", ")[^"]+/m.exec(container) ?? [];
    const config = join(folder, 'config.json');
    const { stdout } = await run(process.execPath, [program, 'init', '--config', config], { cwd: folder });
    expect(stdout).toContain('A first configuration');
    expect(existsSync(config)).toBe(true);
  });

  it('runs as nobody special, is stopped by the signal that the server minds, and asks where it answers', () => {
    expect(container).toMatch(/^USER kaika$/m);
    expect(container).toMatch(/^STOPSIGNAL SIGTERM$/m);
    const first = readFileSync('app/keyserver/cli/init.ts', 'utf8');
    const [port = ''] = /(?<=127\.0\.0\.1:)\d+(?=\/ready)/.exec(container) ?? [];
    expect(first).toContain(`operations: { port: ${port} }`);
  });
});

describe.each([
  ['server', unit],
  ['vault', vaultUnit],
])('the unit of the %s', (_name, one) => {
  it('starts the program of this repository with the Node that npm installs, deaf to a debugger', () => {
    const [command = ''] = /(?<=^ExecStart=).+/m.exec(one) ?? [];
    const [node = '', flag = '', program = ''] = command.split(' ');
    expect(flag).toBe('--disable-sigusr1');
    expect(existsSync(program)).toBe(true);
    if (process.platform === 'linux' && process.arch === 'x64')
      expect(existsSync(node.replace('/opt/kaika/', ''))).toBe(true);
  });

  it('is not started again where that would spend a PIN’s tries', () => {
    expect(one).toContain(`\nRestartPreventExitStatus=${MUST_NOT_RESTART}\n`);
  });
});

describe('the two units', () => {
  it('are of two users, with one group between them, and the socket’s folder is closed to others', () => {
    const of = (name: string, text: string) => new RegExp(`^${name}=(.+)$`, 'm').exec(text)?.[1];
    expect([of('User', unit), of('User', vaultUnit)]).toEqual(['kaika', 'kaika-vault']);
    expect(of('Group', vaultUnit)).toBe('kaika-door');
    expect(of('SupplementaryGroups', unit)).toBe('kaika-door');
    for (const line of ['RuntimeDirectoryMode=0750', 'StateDirectoryMode=0700', 'UMask=0077', 'LimitCORE=0'])
      expect(vaultUnit).toContain(`\n${line}\n`);
  });

  it('of the vault has no network', () => {
    expect(vaultUnit).toContain('\nPrivateNetwork=true\n');
  });

  it('gives it time to finish, writes no core, and lets it write its own folder only', () => {
    for (const line of [
      'LimitCORE=0',
      'NoNewPrivileges=true',
      'ProtectSystem=strict',
      'ReadWritePaths=/var/lib/kaika',
    ])
      expect(unit).toContain(`\n${line}\n`);
    // A request may take 30 s to arrive.
    expect(Number(/(?<=^TimeoutStopSec=)\d+/m.exec(unit)?.[0])).toBeGreaterThan(30);
  });
});

const run = promisify(execFile);
const container = readFileSync('resources/deploy/Containerfile', 'utf8');
