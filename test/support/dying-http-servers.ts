/** Whole servers that kill themselves, one after the other: while one runs, the next has loaded its program and waits to be told. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Vault } from '../../app/keyserver/vault/vault.ts';
import type { Death } from './dying-store.ts';
import { answerCall, type VaultAnswer, type VaultCall } from './parents-vault.ts';
import { instanceOf, type ServerInstance } from './server-instance.ts';

const ENTRY = fileURLToPath(new URL('./dying-server-child.ts', import.meta.url));

/** What tells a waiting process to become a server. */
export interface Serve {
  readonly kind: 'serve';
  /** Its configuration. */
  readonly file: string;
  readonly death: Death;
}

export interface DyingHttpServers {
  /** Resolves when it listens. */
  start(file: string, death: Death): Promise<ServerInstance>;
  /** Ends the one that still waits. */
  close(): Promise<void>;
}

export async function openDyingHttpServers(vault: Vault): Promise<DyingHttpServers> {
  let next: ChildProcess | undefined;
  const launch = (): ChildProcess => {
    const child = spawn(process.execPath, [ENTRY], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const tell = (answer: VaultAnswer) => child.send(answer, () => undefined);
    child.on('message', (call: VaultCall) => void answerCall(vault, call, tell));
    return child;
  };
  return {
    async start(file, death) {
      const child = next ?? launch();
      next = launch();
      child.send({ kind: 'serve', file, death } satisfies Serve, () => undefined);
      return await instanceOf(child);
    },
    async close() {
      if (next === undefined || next.exitCode !== null || next.signalCode !== null) return;
      const gone = once(next, 'exit');
      next.kill('SIGKILL');
      await gone;
    },
  };
}
