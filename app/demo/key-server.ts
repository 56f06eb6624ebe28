/** The demo's key server: the real program, as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { SitePaths } from './site.ts';

const MAIN = fileURLToPath(new URL('../keyserver/main.ts', import.meta.url));
/** Of a machine that has much else to do; a server that fails ends, and is told at once. */
const START_MS = 60_000;
const STOP_MS = 8_000;

const listeningSchema = z.object({ event: z.literal('listening'), port: z.number().int() });

export interface KeyServerProcess {
  readonly port: number;
  readonly pid: number;
  /** Asks it to stop and waits; ends it when it does not. */
  stop(): Promise<void>;
  /** As a power cut would. */
  kill(): Promise<void>;
}

/** Starts it and waits until it listens. @throws Error naming the log when it does not */
export async function startKeyServer(paths: Pick<SitePaths, 'config' | 'log'>): Promise<KeyServerProcess> {
  const log = openSync(paths.log, 'a', 0o600);
  const child = spawn(process.execPath, ['--disable-sigusr1', MAIN, 'serve', '--config', paths.config], {
    // The channel ends with us, however we end, and tells the server to stop.
    stdio: ['ignore', 'pipe', log, 'ipc'],
    detached: false,
  });
  closeSync(log);
  const port = await listeningPort(child);
  if (port === undefined || child.pid === undefined) {
    child.kill('SIGKILL');
    throw new Error(`The key server did not start; see ${paths.log}.`);
  }
  return {
    port,
    pid: child.pid,
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
  };
}

async function listeningPort(child: ChildProcess): Promise<number | undefined> {
  if (child.stdout === null) return undefined;
  const lines = createInterface({ input: child.stdout });
  const timer = setTimeout(() => lines.close(), START_MS);
  try {
    for await (const line of lines) {
      const parsed = listeningSchema.safeParse(parseJson(line));
      if (parsed.success) return parsed.data.port;
    }
    return undefined;
  } finally {
    clearTimeout(timer);
    child.stdout.resume();
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await gone;
  clearTimeout(timer);
}
