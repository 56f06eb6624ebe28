/** The vault process: killed, hung, grown, its token gone, its parent gone. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { openVaultAdmin } from '../../../app/keyserver/vault/admin.ts';
import { startVault, type VaultConfig } from '../../../app/keyserver/vault/client.ts';
import type { CardKeyRef, Vault } from '../../../app/keyserver/vault/port.ts';
import type { VaultEvent } from '../../../app/keyserver/vault/supervisor.ts';
import { VaultChild } from '../../../app/keyserver/vault/vault-child.ts';
import * as ref from './reference.ts';
import { makeSoftToken, type SoftToken } from './soft-token.ts';

const MASTER = ref.hex('0123456789ABCDEFFEDCBA9876543210');
const onLinux = process.platform === 'linux';

let token: SoftToken;
const open: Vault[] = [];

beforeAll(async () => {
  token = await makeSoftToken();
  const admin = await openVaultAdmin(token.config);
  const master = { purpose: 'app/e-wallet/mck', origin: 'factory', version: 1 } as const;
  await admin.importMaster(master, 'des3-16', Buffer.from(MASTER));
  await admin.ensureSealKey();
  await admin.close();
}, 60_000);

afterEach(async () => {
  await Promise.all(open.splice(0).map((vault) => vault.close()));
});

afterAll(() => token.remove());

interface Started {
  readonly vault: Vault;
  readonly events: VaultEvent[];
  /** Process ids in the order of their start. */
  pids(): number[];
}

async function start(more: Partial<VaultConfig> = {}): Promise<Started> {
  const events: VaultEvent[] = [];
  const vault = await startVault({ ...token.config, ...more, onEvent: (event) => events.push(event) });
  open.push(vault);
  return {
    vault,
    events,
    pids: () => events.flatMap((event) => (event.kind === 'started' ? (event.pid ?? []) : [])),
  };
}

const key = (factor: Uint8Array): CardKeyRef => ({
  master: { purpose: 'app/e-wallet/mck', origin: 'factory', version: 1 },
  factor,
});

/** One call with its own card and challenge, compared with the reference. */
async function correctCall(vault: Vault): Promise<void> {
  const factor = randomBytes(8);
  const challenge = randomBytes(4);
  const expected = ref.tdesEcb(ref.desCardKey(MASTER, factor), Buffer.concat([challenge, Buffer.alloc(4)]));
  expect(Buffer.from(await vault.fmcosCryptogram(key(factor), challenge))).toEqual(expected);
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const last = (pids: number[]): number => pids.at(-1) ?? Number.NaN;

describe('a process that dies', () => {
  test('killed between calls: the next call works', async () => {
    const { vault, pids } = await start();
    await correctCall(vault);
    for (let round = 0; round < 3; round += 1) {
      process.kill(last(pids()), 'SIGKILL');
      await correctCall(vault);
    }
    expect(new Set(pids()).size).toBeGreaterThanOrEqual(3);
  });

  test('killed among many calls: none is lost', async () => {
    const { vault, pids } = await start();
    const calls = Array.from({ length: 200 }, () => correctCall(vault));
    await Promise.race(calls);
    process.kill(last(pids()), 'SIGKILL');
    await Promise.all(calls);
    expect(pids()).toHaveLength(2);
  });

  test('hung: the call ends in time, the process is replaced', async () => {
    const { vault, pids } = await start({ callTimeoutMs: 1_000 });
    await correctCall(vault);
    process.kill(last(pids()), 'SIGSTOP');
    const began = performance.now();
    await expect(correctCall(vault)).rejects.toMatchObject({ fault: 'hsm-away' });
    expect(performance.now() - began).toBeLessThan(3_000);
    await vi.waitFor(() => correctCall(vault), { timeout: 10_000 });
    expect(pids()).toHaveLength(2);
  });
});

describe('callers', () => {
  test('four at once, each gets its own answers', async () => {
    const { vault } = await start();
    const caller = async (): Promise<void> => {
      for (let call = 0; call < 100; call += 1) await correctCall(vault);
    };
    await Promise.all([caller(), caller(), caller(), caller()]);
  });

  test('more than the queue holds are told so at once', async () => {
    const { vault } = await start({ queueLimit: 8 });
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => correctCall(vault)));
    const faults = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(faults).toHaveLength(12);
    for (const fault of faults) expect(fault).toMatchObject({ name: 'VaultError', fault: 'busy' });
    await correctCall(vault);
  });

  test('a closed vault answers so, and leaves no process', async () => {
    const { vault, pids } = await start();
    await vault.close();
    await expect(correctCall(vault)).rejects.toMatchObject({ fault: 'hsm-away' });
    expect(pids().filter(alive)).toEqual([]);
  });
});

test('a grown process is replaced between calls, unnoticed', { timeout: 20_000 }, async () => {
  const { vault, events, pids } = await start({ recycleCalls: 40 });
  const replaced = (): number => events.filter(({ kind }) => kind === 'replaced').length;
  const deadline = performance.now() + 15_000;
  const caller = async (): Promise<void> => {
    while (replaced() < 3 && performance.now() < deadline) await correctCall(vault);
  };
  await Promise.all([caller(), caller(), caller(), caller()]);
  expect(replaced()).toBeGreaterThanOrEqual(3);
  expect(events.filter(({ kind }) => kind === 'ended' || kind === 'start-failed')).toEqual([]);
  await vi.waitFor(() => expect(pids().filter(alive)).toEqual([last(pids())]), { timeout: 5_000 });
});

test('a process over its memory bound is replaced too', async () => {
  const { vault, events } = await start({ recycleRss: 1 << 20 });
  for (let call = 0; call < 100; call += 1) await correctCall(vault);
  await vi.waitFor(() => expect(events.some(({ kind }) => kind === 'replaced')).toBe(true), {
    timeout: 5_000,
  });
  await correctCall(vault);
});

test('a grown process goes on when its successor could not log in', async () => {
  const pinFile = `${token.pinFile}-lost`;
  writeFileSync(pinFile, token.pin, { mode: 0o600 });
  const { vault, events, pids } = await start({ recycleCalls: 5, pin: { pinFile } });
  writeFileSync(pinFile, 'wrong-9173');
  for (let call = 0; call < 5; call += 1) await correctCall(vault);
  const failed = (): VaultEvent[] => events.filter(({ kind }) => kind === 'start-failed');
  await vi.waitFor(() => expect(failed()).toHaveLength(1), { timeout: 5_000 });
  for (let call = 0; call < 50; call += 1) await correctCall(vault);
  // One attempt with the wrong PIN, not one a call: tokens lock.
  expect(pids()).toHaveLength(2);
  expect(failed()).toHaveLength(1);
});

describe('a token that goes away', () => {
  const away = (): string => `${token.tokenDir}.away`;

  test('is said, and comes back by itself in the same process', async () => {
    const { vault, pids } = await start();
    const sealed = await vault.seal(Buffer.from('before'), 'c');
    await correctCall(vault);
    renameSync(token.tokenDir, away());
    try {
      await expect(correctCall(vault)).rejects.toMatchObject({ fault: 'hsm-away' });
      await expect(vault.status()).rejects.toMatchObject({ fault: 'hsm-away' });
      const missing = { master: { ...key(MASTER).master, version: 77 }, factor: randomBytes(8) };
      await expect(vault.fmcosCryptogram(missing, randomBytes(4))).rejects.toMatchObject({
        fault: 'hsm-away',
      });
    } finally {
      renameSync(away(), token.tokenDir);
    }
    await vi.waitFor(() => correctCall(vault), { timeout: 10_000, interval: 50 });
    expect(Buffer.from(await vault.unseal(sealed, 'c')).toString()).toBe('before');
    expect(pids()).toHaveLength(1);
  });

  test('a key never looked for yet is not called missing while the token is away', async () => {
    const { vault } = await start();
    renameSync(token.tokenDir, away());
    try {
      await expect(correctCall(vault)).rejects.toMatchObject({ fault: 'hsm-away' });
    } finally {
      renameSync(away(), token.tokenDir);
    }
  });

  test('being away at the start is no reason not to start', async () => {
    renameSync(token.tokenDir, away());
    let started: Started;
    try {
      started = await start();
      await expect(correctCall(started.vault)).rejects.toMatchObject({ fault: 'hsm-away' });
    } finally {
      renameSync(away(), token.tokenDir);
    }
    await vi.waitFor(() => correctCall(started.vault), { timeout: 10_000, interval: 50 });
  });

  test('a module that cannot be loaded is away as well', async () => {
    const { vault } = await start({ module: '/nonexistent/module.so' });
    await expect(vault.status()).rejects.toMatchObject({
      fault: 'hsm-away',
      message: 'the PKCS#11 module cannot be loaded',
    });
  });
});

describe('the PIN', () => {
  test('a wrong one is a clear fault at the start, without repeating it', async () => {
    const pinFile = `${token.pinFile}-wrong`;
    writeFileSync(pinFile, 'wrong-9173\n', { mode: 0o600 });
    const failed = startVault({ ...token.config, pin: { pinFile } });
    await expect(failed).rejects.toMatchObject({
      fault: 'refused',
      message: 'token "kaika test" does not accept the configured PIN (CKR_PIN_INCORRECT)',
    });
  });

  test('can come from the environment', async () => {
    process.env['KAIKA_TEST_PIN'] = token.pin;
    try {
      const { vault } = await start({ pin: { pinEnv: 'KAIKA_TEST_PIN' } });
      await correctCall(vault);
    } finally {
      delete process.env['KAIKA_TEST_PIN'];
    }
  });

  test('a file that was corrected while running is read again', async () => {
    const pinFile = `${token.pinFile}-changing`;
    writeFileSync(pinFile, token.pin, { mode: 0o600 });
    const { vault, pids } = await start({ pin: { pinFile } });
    await correctCall(vault);
    writeFileSync(pinFile, 'wrong-9173');
    process.kill(last(pids()), 'SIGKILL');
    await expect(correctCall(vault)).rejects.toMatchObject({
      fault: 'hsm-away',
      message: expect.stringContaining('CKR_PIN_INCORRECT'),
    });
    writeFileSync(pinFile, `${token.pin}\r\n`);
    await correctCall(vault);
  });
});

describe('protection', () => {
  const entry = fileURLToPath(new URL('../../../app/keyserver/vault/process.ts', import.meta.url));

  test('the serving process knows no operation of set-up or ceremony, and survives nonsense', async () => {
    const child = new VaultChild('process', token.config);
    const { module, tokenLabel, pin } = token.config;
    try {
      await child.ask({ op: 'configure', config: { module, tokenLabel, pin } });
      const id = { purpose: 'app/e-wallet/mck', origin: 'issuer', version: 1 };
      for (const body of [
        { op: 'generateMaster', id, algorithm: 'des3-16' },
        { op: 'importMaster', id, algorithm: 'des3-16', value: Buffer.alloc(16) },
        { op: 'configure', config: { module, tokenLabel, pin } },
        { op: 'status', extra: 1 },
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
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
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
      await vi.waitFor(() => expect(statSync(`/proc/${child.pid}/maps`).uid).toBe(0), { timeout: 10_000 });
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

  test.runIf(onLinux && process.getuid?.() === 0)('a signal opens no debugger', async () => {
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
      env: { ...process.env, CONFIG: JSON.stringify(token.config) },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    try {
      const pid = await new Promise<number>((resolve) =>
        parent.once('message', (value) => resolve(Number(value))),
      );
      expect(alive(pid)).toBe(true);
      parent.kill(signal);
      await vi.waitFor(() => expect(alive(pid)).toBe(false), { timeout: 5_000 });
    } finally {
      parent.kill('SIGKILL');
    }
  });
});
