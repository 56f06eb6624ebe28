/** A token with one known master, vaults on it that are closed after each test, and calls whose answers are checked. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { openVaultAdmin } from '../../../app/keyserver/vault/admin.ts';
import { startVault, type VaultConfig } from '../../../app/keyserver/vault/client.ts';
import type { CardKeyRef, CardStatement, MasterRule } from '../../../app/keyserver/vault/keys.ts';
import type { VaultEvent } from '../../../app/keyserver/vault/supervisor-machine.ts';
import type { Vault } from '../../../app/keyserver/vault/vault.ts';
import { PATIENT_VAULT } from '../../support/limit.ts';
import * as ref from './reference.ts';
import { makeSoftToken, type SoftToken } from './soft-token.ts';

/** The value of the master `app/e-wallet/mck`, factory, version 1. */
export const MASTER = ref.hex('0123456789ABCDEFFEDCBA9876543210');

/** What is fixed with a transport key of an app. */
export const TRANSPORT: MasterRule = { diversifiedBy: 'identification', records: [] };

/** A vault, and what was heard of its processes. */
export interface Started {
  readonly vault: Vault;
  readonly events: VaultEvent[];
  /** Process ids in the order of their start. */
  pids(): number[];
}

/** What the tests of one file share; made before the first and removed after the last. */
export interface Harness {
  readonly token: () => SoftToken;
  start(more?: Partial<VaultConfig>): Promise<Started>;
}

/** To be called once, at the top of a test file. */
export function vaultHarness(): Harness {
  let token: SoftToken | undefined;
  const open: Vault[] = [];
  const made = (): SoftToken => {
    if (token === undefined) throw new Error('no token yet');
    return token;
  };

  beforeAll(async () => {
    token = await makeSoftToken();
    const admin = await openVaultAdmin(token.config);
    const master = { purpose: 'app/e-wallet/mck', origin: 'factory', version: 1 } as const;
    await admin.importMaster({
      id: master,
      algorithm: 'des3-16',
      value: Buffer.from(MASTER),
      rule: TRANSPORT,
    });
    await admin.ensureSealKey();
    await admin.close();
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((vault) => vault.close()));
  });

  afterAll(() => token?.remove());

  return {
    token: made,
    async start(more = {}) {
      const events: VaultEvent[] = [];
      const config = { ...made().config, ...PATIENT_VAULT, ...more };
      const vault = await startVault({ ...config, onEvent: (event) => events.push(event) });
      open.push(vault);
      const pids = (): number[] =>
        events.flatMap((event) => (event.kind === 'started' ? (event.pid ?? []) : []));
      return { vault, events, pids };
    },
  };
}

/** The known master's key of one card. */
export const key = (factor: Uint8Array): CardKeyRef => ({
  master: { purpose: 'app/e-wallet/mck', origin: 'factory', version: 1 },
  factor,
});

/** The card that a call is about, where its identification code is the factor itself. */
export const cardOf = (factor: Uint8Array): CardStatement => ({
  identification: Buffer.from(factor).toString('hex').toUpperCase(),
  account: '6222021234567890',
});

/** One call with its own card and challenge, compared with the reference. */
export async function correctCall(vault: Vault): Promise<void> {
  const factor = randomBytes(8);
  const challenge = randomBytes(4);
  const expected = ref.tdesEcb(ref.desCardKey(MASTER, factor), Buffer.concat([challenge, Buffer.alloc(4)]));
  const given = await vault.ask('fmcosCryptogram', { card: cardOf(factor), key: key(factor), challenge });
  expect(Buffer.from(given)).toEqual(expected);
}

/** Whether a process runs. An ended one that nobody has waited for (no init in a container) does not. */
export const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

/** The newest of some process ids. */
export const last = (pids: number[]): number => pids.at(-1) ?? Number.NaN;
