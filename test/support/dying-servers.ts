/** Server processes that end themselves; some wait started, so that a story need not. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Vault } from '../../app/keyserver/vault/vault.ts';
import { jobReplySchema, stepReplySchema } from '../../app/protocol/wire.ts';
import type { JobServer } from './commit-stories.ts';
import type { FromServer, ToServer } from './dying-server-messages.ts';
import type { Death } from './dying-store.ts';
import { CALLER } from './forwarder.ts';
import { HIGH_LIMITS } from './issuer-rig.ts';
import { answerCall } from './parents-vault.ts';

const ENTRY = fileURLToPath(new URL('./dying-server.ts', import.meta.url));
const SPARE = 3;

/** The process ended before it answered. */
export class ServerKilled extends Error {
  readonly signal: string | null;
  constructor(signal: string | null) {
    super(`the server ended (${signal})`);
    this.signal = signal;
  }
}

/** A server process. */
export interface DyingServer extends JobServer {
  readonly process: ChildProcess;
}

export interface DyingServers {
  /** A server on the store that dies as it is told: a new process, or the one that `living` outlived its job in. */
  start(death: Death, living?: DyingServer): DyingServer;
  close(): Promise<void>;
}

export async function openDyingServers(options: {
  readonly vault: Vault;
  readonly file: string;
  readonly resources: string;
}): Promise<DyingServers> {
  const all = new Set<ChildProcess>();
  const spare: ChildProcess[] = [];
  const launch = () => {
    const child = fork(ENTRY, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
    });
    all.add(child);
    child.once('exit', () => all.delete(child));
    return child;
  };
  const end = async (child: ChildProcess) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const refill = () => {
    while (spare.length < SPARE) spare.push(launch());
  };
  refill();
  return {
    start(death, living) {
      const child = living?.process ?? spare.shift() ?? launch();
      refill();
      const tell = (message: ToServer) => child.send(message, () => undefined);
      if (living === undefined)
        child.on('message', (message: FromServer) => {
          if (message.kind === 'vault') void answerCall(options.vault, message, tell);
        });
      const { file, resources } = options;
      tell({ kind: 'open', file, resources, death, caller: CALLER, limits: HIGH_LIMITS });
      return {
        start: async (asked) => jobReplySchema.parse(await asking(child, { kind: 'start', asked })),
        answer: async (job, seq, report) =>
          stepReplySchema.parse(await asking(child, { kind: 'answer', job, seq, report })),
        process: child,
      };
    },
    async close() {
      await Promise.all([...all].map(end));
    },
  };
}

function asking(child: ChildProcess, message: ToServer): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = () => {
      child.off('message', heard);
      child.off('exit', gone);
    };
    const heard = (answer: FromServer) => {
      if (answer.kind !== 'reply' && answer.kind !== 'failed') return;
      done();
      if (answer.kind === 'reply') resolve(answer.value);
      else reject(new Error(answer.error));
    };
    const gone = (_code: number | null, signal: string | null) => {
      done();
      reject(new ServerKilled(signal));
    };
    child.on('message', heard);
    child.once('exit', gone);
    child.send(message, () => undefined);
  });
}
