/** A pcscd with virtual readers, inside the rig's namespaces. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { VPCD_PORT } from '../vpcd.ts';
import { PCSCD_FOLDER } from './namespace.ts';

/** vpcd's driver is built with two slots; each is a reader of its own, on the next port. */
const SLOTS = 2;
const READY_MS = 45_000;
const POLL_MS = 5;
/** How long pcscd may take to end by itself; it waits for a card that never answers. */
const STOP_MS = 500;
/** State of a listening socket in /proc/net/tcp. */
const LISTEN = '0A';

/** The service, started and stopped at will. */
export interface Pcscd {
  readonly readerNames: readonly string[];
  readonly running: boolean;
  /** The TCP port of a reader's vpcd. */
  portOf(reader: number): number;
  /** @throws Error with the last of what pcscd said. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What it is made of. */
interface PcscdOptions {
  readonly program: string;
  readonly driver: string;
  readonly readers: number;
  /** Of each pair, in Latin-1. */
  readonly names?: readonly string[];
}

/**
 * Writes drivers and configuration into /run/pcscd: paths without spaces, wherever the rig's folder is. pcscd keeps
 * one state a driver file, hence a copy for every two readers; an odd number of readers is rounded up.
 */
export async function preparePcscd({ program, driver, readers, names = [] }: PcscdOptions): Promise<Pcscd> {
  const drivers = Math.ceil(readers / SLOTS);
  const blocks: string[] = [];
  const readerNames: string[] = [];
  for (let i = 0; i < drivers; i += 1) {
    const copy = join(PCSCD_FOLDER, `driver-${i + 1}.so`);
    await copyFile(driver, copy);
    const port = `0x${(VPCD_PORT + SLOTS * i).toString(16).toUpperCase()}`;
    // A letter: numbers are what pcscd puts behind it for the slots.
    const name = names[i] ?? `Virtual Reader ${String.fromCodePoint(0x41 + i)}`;
    blocks.push(`FRIENDLYNAME "${name}"\nDEVICENAME /dev/null:${port}\nLIBPATH ${copy}\nCHANNELID ${port}\n`);
    for (let slot = 0; slot < SLOTS; slot += 1) readerNames.push(`${name} 00 0${slot}`);
  }
  const configuration = join(PCSCD_FOLDER, 'reader.conf');
  await writeFile(configuration, blocks.join('\n'), 'latin1');
  return pcscd(program, configuration, readerNames);
}

function pcscd(program: string, configuration: string, readerNames: readonly string[]): Pcscd {
  let child: ChildProcess | undefined;
  const portOf = (reader: number): number => VPCD_PORT + reader;

  const isReady = async (): Promise<boolean> => {
    const listening = await listeningPorts();
    return (
      (await exists(join(PCSCD_FOLDER, 'pcscd.comm'))) &&
      readerNames.every((_, i) => listening.has(portOf(i)))
    );
  };

  const stop = async (): Promise<void> => {
    const ending = child;
    if (!ending) return;
    child = undefined;
    const ended = new Promise<void>((resolve) => {
      if (ending.exitCode !== null || ending.signalCode !== null) resolve();
      else ending.once('exit', () => resolve());
    });
    ending.kill('SIGTERM');
    const timer = setTimeout(() => ending.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
    await sweep();
  };

  return {
    readerNames,
    portOf,
    get running() {
      return child !== undefined;
    },
    stop,
    start: async () => {
      if (child) return;
      await sweep();
      let said = '';
      let failed = false;
      const started = spawn(program, ['--foreground', '--error', '-c', configuration], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child = started;
      for (const stream of [started.stdout, started.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          said = (said + text).slice(-2000);
        });
      }
      started.once('error', (error) => {
        said += error.message;
        failed = true;
      });
      started.once('exit', () => {
        failed = true;
        if (child === started) child = undefined;
      });
      const until = Date.now() + READY_MS;
      while (!(await isReady())) {
        if (failed || Date.now() > until) {
          await stop();
          throw new Error(`pcscd did not start: ${said.trim()}`);
        }
        await delay(POLL_MS);
      }
    },
  };
}

/** What a pcscd that was killed leaves behind would keep the next one from starting. */
async function sweep(): Promise<void> {
  for (const name of ['pcscd.comm', 'pcscd.pid']) await rm(join(PCSCD_FOLDER, name), { force: true });
}

/** Connecting to find out would already insert a card, so the kernel is asked. */
async function listeningPorts(): Promise<ReadonlySet<number>> {
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').slice(1);
  const ports = new Set<number>();
  for (const line of lines) {
    const [, local = '', , state] = line.trim().split(/\s+/);
    if (state === LISTEN) ports.add(Number.parseInt(local.split(':')[1] ?? '', 16));
  }
  return ports;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
