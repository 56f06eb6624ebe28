/** Files that others of the machine may use are refused by `init` and `status`, one sentence each. */
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { faultsOfFiles, type GuardedFile } from '../../../app/keyserver/cli/file-modes.ts';
import { filesOfServer, filesOfVault } from '../../../app/keyserver/cli/guarded-files.ts';
import { runCommand } from '../../../app/keyserver/cli/program.ts';
import { readConfig } from '../../../app/keyserver/config.ts';
import { readVaultFile } from '../../../app/keyserver/vault-config.ts';
import { scratchFolder } from '../../support/temporary.ts';

let folder: string;
beforeEach(writeFiles);
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(process.platform === 'win32')('files', () => {
  it('that are for their owner only have no fault', () => {
    expect(faults()).toEqual([]);
  });

  it.each([
    ['pin', 0o644, 'vault.pinFile: others may read'],
    ['pin', 0o640, 'vault.pinFile: others may read'],
    ['server.key', 0o666, 'tls.key: others may read'],
    ['server.key', 0o604, 'tls.key: others may read'],
    ['config.json', 0o666, 'the configuration: others may read or change'],
    ['config.json', 0o644, 'the configuration: others may read or change'],
    ['config.json', 0o660, 'the configuration: others may read or change'],
    ['server.pem', 0o664, 'tls.certificate: others may change'],
    ['stations.pem', 0o646, 'tls.stationAuthorities: others may change'],
    ['module.so', 0o777, 'vault.module: others may change'],
    ['softhsm2.conf', 0o666, 'vault.softhsmConf: others may change'],
    ['tokens', 0o755, 'vault.softhsmConf: the token: others may read'],
  ])('%s with mode %o is said', (name, mode, sentence) => {
    chmodSync(join(folder, name), mode);
    expect(faults()).toEqual([expect.stringContaining(sentence)]);
  });

  it.each([
    ['config.json', 0o640],
    ['server.pem', 0o644],
    ['module.so', 0o755],
    ['softhsm2.conf', 0o644],
    ['store', 0o644],
  ])('%s with mode %o has no fault', (name, mode) => {
    chmodSync(join(folder, name), mode);
    expect(faults()).toEqual([]);
  });

  it('a folder above that others may write is said: they could put another file there', () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    writeFileSync(join(open, 'key'), 'key', { mode: 0o600 });
    const one: GuardedFile = { name: 'tls.key', path: join(open, 'key'), kind: 'secret' };
    chmodSync(open, 0o777);
    expect(faultsOfFiles([one])).toEqual([expect.stringContaining('others may exchange')]);
    // As /tmp: everybody may make files there, and nobody change another's.
    chmodSync(open, 0o1777);
    expect(faultsOfFiles([one])).toEqual([]);
    // By another way to the same place.
    chmodSync(open, 0o770);
    symlinkSync(join(open, 'key'), join(folder, 'link'));
    expect(faultsOfFiles([{ ...one, path: join(folder, 'link') }])).toHaveLength(1);
  });

  it('a store is kept by its folder where its own mode is everybody’s', () => {
    const data = join(folder, 'data');
    mkdirSync(data, { mode: 0o755 });
    writeFileSync(join(data, 'store'), '', { mode: 0o644 });
    const store: GuardedFile = { name: 'store.file', path: join(data, 'store'), kind: 'kept' };
    expect(faultsOfFiles([store])).toHaveLength(1);
    chmodSync(data, 0o700);
    expect(faultsOfFiles([store])).toEqual([]);
  });

  it('init says them, and that the server cannot be started', async () => {
    chmodSync(join(folder, 'pin'), 0o644);
    chmodSync(join(folder, 'server.key'), 0o666);
    const said: string[] = [];
    const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    try {
      expect(await runCommand(['init', '--config', join(folder, 'config.json')], () => undefined)).toBe(1);
    } finally {
      out.mockRestore();
    }
    const files = said.find((line) => line.includes(' files: '));
    expect(files).toMatch(/^missing {2}files: .*tls\.key: others may read.*vault\.pinFile: others may read/);
    expect(said.join('')).not.toContain('can be started');
  });

  it('of a vault of another user are its PIN and token, and those of its server are not', () => {
    const file = join(folder, 'vault.json');
    const content = { socket: 'vault.sock', module: 'module.so', tokenLabel: 'x', pinFile: 'pin' };
    writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
    chmodSync(join(folder, 'pin'), 0o640);
    expect(faultsOfFiles(filesOfVault(file, readVaultFile(file)))).toEqual([
      expect.stringContaining('pinFile: others may read'),
    ]);
    const config = readConfig(join(folder, 'config.json'));
    const names = filesOfServer(file, { ...config, vault: { socket: 'vault.sock' } }).map(({ name }) => name);
    expect(names.some((name) => name.startsWith('vault.'))).toBe(false);
  });
});

function writeFiles(): void {
  folder = scratchFolder('kaika-modes-');
  for (const name of ['pin', 'server.key', 'server.pem', 'stations.pem', 'module.so', 'store'])
    writeFileSync(join(folder, name), name, { mode: 0o600 });
  mkdirSync(join(folder, 'tokens'), { mode: 0o700 });
  writeFileSync(join(folder, 'softhsm2.conf'), `directories.tokendir = ${join(folder, 'tokens')}\n`, {
    mode: 0o600,
  });
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({
      listen: { port: 0 },
      tls: { key: 'server.key', certificate: 'server.pem', stationAuthorities: 'stations.pem' },
      store: { kind: 'sqlite', file: 'store' },
      vault: { module: 'module.so', tokenLabel: 'x', pinFile: 'pin', softhsmConf: 'softhsm2.conf' },
    }),
    { mode: 0o600 },
  );
}

function faults(): string[] {
  const file = join(folder, 'config.json');
  return faultsOfFiles(filesOfServer(file, readConfig(file)));
}
