/** Starts the serving vault: its process, the queue in front of it, and a method for each operation. */
import { ownBytes } from './bytes-schema.ts';
import { CallQueue } from './call-queue.ts';
import type { VaultTokenConfig } from './config.ts';
import { VaultError } from './error.ts';
import { callsOf } from './operation.ts';
import { type Family, operationsOf, ownOperations, VAULT_FAMILIES } from './registry.ts';
import { SocketLine } from './socket-line.ts';
import type { VaultEvent } from './supervisor-machine.ts';
import type { Vault } from './vault.ts';
import { entryOf } from './vault-child.ts';

export type { VaultEvent };

const DEFAULTS = {
  callTimeoutMs: 5_000,
  queueLimit: 256,
  startTimeoutMs: 15_000,
  recycleCalls: 200_000,
  recycleRss: 400 << 20,
};

/** What an installation configures of calls and processes; all limits have defaults. */
interface Limits {
  /** A call ends within this time, waiting included. Default 5 s. */
  readonly callTimeoutMs?: number;
  /** Calls waiting or running at once; more are `busy`. Default 256. */
  readonly queueLimit?: number;
  /** Default 15 s. */
  readonly startTimeoutMs?: number;
  /** Calls after which the process is replaced. Default 200,000 (some 100 MB of leak). */
  readonly recycleCalls?: number;
  /** Resident bytes above which the process is replaced, after 100 calls at the earliest. Default 400 MiB. */
  readonly recycleRss?: number;
  /** Hears of every start and end of a vault process. */
  readonly onEvent?: (event: VaultEvent) => void;
}

/** A token in a vault process of our own user. */
export interface VaultConfig extends VaultTokenConfig, Limits {}

/** A vault of another user, behind its socket: nothing of PIN or token is known here. */
export interface VaultSocketConfig extends Limits {
  readonly socket: string;
}

/** What the queue in front of a vault process is told. */
export function queueConfigOf(config: VaultConfig, entry: URL) {
  return { ...DEFAULTS, onEvent: () => undefined, ...config, entry };
}

/** Which operations a vault has, and the process that carries them out: the registered ones, unless a test adds a dialect. */
interface VaultProgram {
  readonly families: readonly Family[];
  /** A module that calls `serveVault` (process/serve-vault.ts) with the same families. */
  readonly entry: URL;
}

const PROGRAM: VaultProgram = {
  families: VAULT_FAMILIES,
  entry: entryOf('main'),
};

/**
 * Starts a vault process, or opens the line to a vault of another user, and gives the vault. A token that is away at the start is no error here: calls say `hsm-away` until
 * it is there.
 * @throws VaultError `refused` when the token does not accept the PIN, `hsm-away` when no process can be started
 */
export async function startVault(config: VaultConfig | VaultSocketConfig, program = PROGRAM): Promise<Vault> {
  const queue =
    'socket' in config
      ? new SocketLine({ ...DEFAULTS, onEvent: () => undefined, ...config })
      : new CallQueue(queueConfigOf(config, program.entry));
  const dialects = operationsOf(program.families.filter(({ kind }) => kind === 'dialect'));
  await queue.start();
  return {
    ...callsOf(ownOperations, (op, request, answer) => queue.call({ op, request }, answer)),
    ask: async (op, request) => {
      if (!Object.hasOwn(dialects, op)) throw new VaultError('refused', `no dialect has an operation ${op}`);
      return queue.call({ op, request }, ownBytes);
    },
    close: () => queue.close(),
  };
}
