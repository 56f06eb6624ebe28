/** What keeps keys and PIN inside the vault process. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { entryOf, VaultChild } from '../../../app/keyserver/vault/vault-child.ts';
import { PATIENT } from '../../support/limit.ts';
import { writableMemory } from '../../support/process-memory.ts';
import { alive, correctCall, last, TRANSPORT, vaultHarness } from './harness.ts';

const { token, start } = vaultHarness();

describe('protection', () => {
  const entry = fileURLToPath(entryOf('main'));

  test('the serving process knows no operation of set-up or ceremony, and survives nonsense', async () => {
    const child = new VaultChild(entryOf('main'), token().config);
    const { module, tokenLabel, pin } = token().config;
    try {
      await child.ask({ op: 'configure', config: { module, tokenLabel, pin } });
      const id = { purpose: 'app/e-wallet/mck', origin: 'issuer', version: 1 };
      for (const body of [
        { op: 'generateMaster', request: { id, algorithm: 'des3-16', rule: TRANSPORT } },
        {
          op: 'importMaster',
          request: { id, algorithm: 'des3-16', value: Buffer.alloc(16), rule: TRANSPORT },
        },
        { op: 'setRule', request: { id, rule: TRANSPORT } },
        { op: 'configure', config: { module, tokenLabel, pin } },
        { op: 'status', extra: 1 },
        { op: 'status', request: {} },
        { op: 'toString' },
        null,
        'status',
      ])
        expect(await child.ask(body)).toMatchObject({ ok: false, fault: 'refused' });
      expect(await child.ask({ op: 'status' })).toMatchObject({ ok: true });
    } finally {
      await child.end();
    }
  });

  test.runIf(onLinux)('no core dump', async () => {
    const { pids } = await start();
    const limits = readFileSync(`/proc/${last(pids())}/limits`, 'utf8');
    expect(limits).toMatch(/^Max core file size\s+0\s+0\s/m);
  });

  test.runIf(onLinux)('not dumpable: its files in /proc belong to root, whoever runs it', async () => {
    // Run as root, this starts the process as another user; owner root then shows that it is not dumpable.
    const user = asRoot ? { uid: 65_534, gid: 65_534 } : {};
    const child: ChildProcess = fork(entry, [], {
      ...user,
      execArgv: [],
      serialization: 'advanced',
      stdio: 'ignore',
    });
    const plain = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 20000)'], {
      ...user,
      stdio: 'ignore',
    });
    try {
      await vi.waitFor(() => expect(statSync(`/proc/${child.pid}/maps`).uid).toBe(0), PATIENT);
      const own = user.uid ?? process.getuid?.();
      expect(readFileSync(`/proc/${child.pid}/status`, 'utf8')).toMatch(
        new RegExp(`^Uid:\\s+${own}\\s`, 'm'),
      );
      expect(statSync(`/proc/${plain.pid}/maps`).uid).toBe(own);
    } finally {
      child.kill('SIGKILL');
      plain.kill('SIGKILL');
    }
  });

  test.runIf(asRoot)('a signal opens no debugger', async () => {
    const { vault, pids } = await start();
    await correctCall(vault);
    const pid = last(pids());
    const sockets = (): number =>
      readdirSync(`/proc/${pid}/fd`).filter((fd) =>
        readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:'),
      ).length;
    const threads = (): number => readdirSync(`/proc/${pid}/task`).length;
    const before = [sockets(), threads()];
    process.kill(pid, 'SIGUSR1');
    for (let call = 0; call < 50; call += 1) await correctCall(vault);
    expect([sockets(), threads()]).toEqual(before);
    expect(pids()).toEqual([pid]);
  });

  test.runIf(asRoot)('the PIN is nowhere in its memory once it has logged in', async () => {
    const { vault, pids } = await start();
    await correctCall(vault);
    const pid = last(pids());
    // The label is there, so the search finds what there is to find.
    expect(occurrences(pid, Buffer.from(token().config.tokenLabel))).toBeGreaterThan(0);
    expect(occurrences(pid, Buffer.from(token().pin))).toBe(0);
  });

  test.runIf(onLinux)('its environment holds only what it needs', async () => {
    process.env['KAIKA_TEST_SECRET'] = 'not for the vault';
    try {
      const { pids } = await start();
      const names = readFileSync(`/proc/${last(pids())}/environ`, 'utf8')
        .split('\0')
        .map((entry) => entry.split('=')[0]);
      expect(names).not.toContain('KAIKA_TEST_SECRET');
      expect(names).toContain('SOFTHSM2_CONF');
    } finally {
      delete process.env['KAIKA_TEST_SECRET'];
    }
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)('ends when its parent goes (%s)', async (signal) => {
    const client = new URL('../../../app/keyserver/vault/client.ts', import.meta.url);
    const script = `
      import { startVault } from ${JSON.stringify(client.href)};
      const config = JSON.parse(process.env.CONFIG);
      await startVault({ ...config, onEvent: (e) => process.send(e.pid) });`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, CONFIG: JSON.stringify(token().config) },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    try {
      const pid = await new Promise<number>((resolve) =>
        parent.once('message', (value) => resolve(Number(value))),
      );
      expect(alive(pid)).toBe(true);
      parent.kill(signal);
      await vi.waitFor(() => expect(alive(pid)).toBe(false), PATIENT);
    } finally {
      parent.kill('SIGKILL');
    }
  });
});

const onLinux = process.platform === 'linux';
const asRoot = onLinux && process.getuid?.() === 0;

/** How often some bytes stand in the writable memory of a process. */
function occurrences(pid: number, needle: Buffer): number {
  let found = 0;
  for (const part of writableMemory(pid))
    for (let at = part.indexOf(needle); at >= 0; at = part.indexOf(needle, at + 1)) found += 1;
  return found;
}
