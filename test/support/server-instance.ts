/** One server process of a test, seen from outside: where it listens, what it writes, how it ends. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { LIMIT } from './limit.ts';

export interface ServerInstance {
  readonly port: number;
  readonly operationsPort: number;
  readonly pid: number;
  readonly log: () => string;
  /** Resolves when the process has ended, by whatever. */
  readonly ended: Promise<unknown>;
  /** SIGKILL, as a power cut; and its vault process ends with it. */
  kill(): Promise<void>;
  stop(): Promise<number | null>;
}

const listeningSchema = z.object({
  event: z.literal('listening'),
  port: z.number(),
  operationsPort: z.number(),
});

/** A server's process from the moment it listens; it writes where on its standard output. @throws Error with its log when it never does */
export async function instanceOf(child: ChildProcess): Promise<ServerInstance> {
  const ended = once(child, 'exit');
  let log = '';
  child.stderr?.on('data', (part: Buffer) => {
    log = (log + part.toString()).slice(-200_000);
  });
  const said = await listening(child);
  if (said === undefined || child.pid === undefined) {
    child.kill('SIGKILL');
    throw new Error(`the server did not start: ${log}`);
  }
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT);
      await gone;
      clearTimeout(timer);
    }
    return child.exitCode;
  };
  return {
    port: said.port,
    operationsPort: said.operationsPort,
    pid: child.pid,
    log: () => log,
    ended,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  };
}

async function listening(child: ChildProcess): Promise<z.infer<typeof listeningSchema> | undefined> {
  if (child.stdout === null) return undefined;
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const said = listeningSchema.safeParse(JSON.parse(line));
      if (said.success) return said.data;
    }
    return undefined;
  } finally {
    clearTimeout(timer);
    child.stdout.resume();
  }
}
