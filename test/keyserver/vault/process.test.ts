/** The vault process: killed, hung, grown, its token gone, its PIN wrong. */
import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { startVault } from '../../../app/keyserver/vault/client.ts';
import type { VaultEvent } from '../../../app/keyserver/vault/supervisor-machine.ts';
import { LIMIT, PATIENT } from '../../support/limit.ts';
import { alive, cardOf, correctCall, key, last, MASTER, type Started, vaultHarness } from './harness.ts';

const { token, start } = vaultHarness();

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
    // A slow machine may take its time over 200 calls and a new process; none may be lost on any.
    const { vault, pids } = await start({ callTimeoutMs: LIMIT });
    const calls = Array.from({ length: 200 }, () => correctCall(vault));
    await Promise.race(calls);
    process.kill(last(pids()), 'SIGKILL');
    await Promise.all(calls);
    expect(pids()).toHaveLength(2);
  });

  test('hung: the call ends in time, the process is replaced', async () => {
    const patient = await start({ callTimeoutMs: LIMIT });
    const { vault, pids } = await start({ callTimeoutMs: 3_000 });
    for (const one of [patient.vault, vault]) await correctCall(one);
    for (const one of [patient.pids(), pids()]) process.kill(last(one), 'SIGSTOP');
    let patientEnded = false;
    const hanging = correctCall(patient.vault).finally(() => {
      patientEnded = true;
    });
    await expect(correctCall(vault)).rejects.toMatchObject({ fault: 'hsm-away' });
    expect(patientEnded, 'a vault with a longer limit still waits').toBe(false);
    process.kill(last(patient.pids()), 'SIGKILL');
    await hanging;
    await vi.waitFor(() => correctCall(vault), PATIENT);
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

test('a grown process is replaced between calls, unnoticed', async () => {
  const { vault, events, pids } = await start({ recycleCalls: 40 });
  const replaced = (): number => events.filter(({ kind }) => kind === 'replaced').length;
  const caller = async (): Promise<void> => {
    while (replaced() < 3) await correctCall(vault);
  };
  await Promise.all([caller(), caller(), caller(), caller()]);
  expect(replaced()).toBeGreaterThanOrEqual(3);
  expect(events.filter(({ kind }) => kind === 'ended' || kind === 'start-failed')).toEqual([]);
  await vi.waitFor(() => expect(pids().filter(alive)).toEqual([last(pids())]), PATIENT);
});

test('a process over its memory bound is replaced with calls in flight, unnoticed', async () => {
  const { vault, events, pids } = await start({ recycleRss: 1 << 20, callTimeoutMs: LIMIT });
  const replaced = () => events.filter(({ kind }) => kind === 'replaced').length;
  // Many calls in flight all the while: each gets its right answer, and none hears of it.
  let over = false;
  const callers = Array.from({ length: 12 }, async () => {
    while (!over) await correctCall(vault);
  });
  await vi.waitFor(() => expect(replaced()).toBeGreaterThanOrEqual(2), PATIENT);
  over = true;
  await Promise.all(callers);
  expect(events.filter(({ kind }) => kind === 'ended' || kind === 'start-failed')).toEqual([]);
  await vi.waitFor(() => expect(pids().filter(alive)).toEqual([last(pids())]), PATIENT);
});

test('a grown process goes on when its successor could not log in', async () => {
  const pinFile = `${token().pinFile}-lost`;
  writeFileSync(pinFile, token().pin, { mode: 0o600 });
  const { vault, events, pids } = await start({ recycleCalls: 5, pin: { pinFile } });
  writeFileSync(pinFile, 'wrong-9173');
  for (let call = 0; call < 5; call += 1) await correctCall(vault);
  const failed = (): VaultEvent[] => events.filter(({ kind }) => kind === 'start-failed');
  await vi.waitFor(() => expect(failed()).toHaveLength(1), PATIENT);
  for (let call = 0; call < 50; call += 1) await correctCall(vault);
  // One attempt with the wrong PIN, not one a call: tokens lock.
  expect(pids()).toHaveLength(2);
  expect(failed()).toHaveLength(1);
});

describe('a token that goes away', () => {
  const away = (): string => `${token().tokenDir}.away`;

  test('is said, and comes back by itself in the same process', async () => {
    const { vault, pids } = await start();
    const sealed = await vault.seal({ clear: Buffer.from('before'), context: 'c' });
    await correctCall(vault);
    renameSync(token().tokenDir, away());
    try {
      await expect(correctCall(vault)).rejects.toMatchObject({ fault: 'hsm-away' });
      await expect(vault.status()).rejects.toMatchObject({ fault: 'hsm-away' });
      const missing = { master: { ...key(MASTER).master, version: 77 }, factor: randomBytes(8) };
      await expect(
        vault.ask('fmcosCryptogram', {
          card: cardOf(missing.factor),
          key: missing,
          challenge: randomBytes(4),
        }),
      ).rejects.toMatchObject({
        fault: 'hsm-away',
      });
    } finally {
      renameSync(away(), token().tokenDir);
    }
    await vi.waitFor(() => correctCall(vault), PATIENT);
    expect(Buffer.from(await vault.unseal({ sealed, context: 'c' })).toString()).toBe('before');
    expect(pids()).toHaveLength(1);
  });

  test('a key never looked for yet is not called missing while the token is away', async () => {
    const { vault } = await start();
    renameSync(token().tokenDir, away());
    try {
      await expect(correctCall(vault)).rejects.toMatchObject({ fault: 'hsm-away' });
    } finally {
      renameSync(away(), token().tokenDir);
    }
  });

  test('being away at the start is no reason not to start', async () => {
    renameSync(token().tokenDir, away());
    let started: Started;
    try {
      started = await start();
      await expect(correctCall(started.vault)).rejects.toMatchObject({ fault: 'hsm-away' });
    } finally {
      renameSync(away(), token().tokenDir);
    }
    await vi.waitFor(() => correctCall(started.vault), PATIENT);
  });

  test('so is one whose slot is another than it was told', async () => {
    const { vault } = await start({ slot: 4_000_000_000 });
    await expect(vault.status()).rejects.toMatchObject({
      fault: 'hsm-away',
      message: expect.stringContaining('is not there in slot 4000000000'),
    });
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
    const pinFile = `${token().pinFile}-wrong`;
    writeFileSync(pinFile, 'wrong-9173\n', { mode: 0o600 });
    const failed = startVault({ ...token().config, pin: { pinFile } });
    await expect(failed).rejects.toMatchObject({
      fault: 'refused',
      message: 'token "kaika test" does not accept the configured PIN (CKR_PIN_INCORRECT)',
    });
  });

  test('can come from the environment', async () => {
    process.env['KAIKA_TEST_PIN'] = token().pin;
    try {
      const { vault } = await start({ pin: { pinEnv: 'KAIKA_TEST_PIN' } });
      await correctCall(vault);
    } finally {
      delete process.env['KAIKA_TEST_PIN'];
    }
  });

  test('a file that was corrected while running is read again', async () => {
    const pinFile = `${token().pinFile}-changing`;
    writeFileSync(pinFile, token().pin, { mode: 0o600 });
    const { vault, pids } = await start({ pin: { pinFile } });
    await correctCall(vault);
    writeFileSync(pinFile, 'wrong-9173');
    process.kill(last(pids()), 'SIGKILL');
    await expect(correctCall(vault)).rejects.toMatchObject({
      fault: 'hsm-away',
      message: expect.stringContaining('CKR_PIN_INCORRECT'),
    });
    writeFileSync(pinFile, `${token().pin}\r\n`);
    await correctCall(vault);
  });
});
