/** `serve`: runs until it is told to stop, and says on standard output where it listens. */
import type { ServerConfig } from '../config.ts';
import { framesOf, openLog } from '../log.ts';
import { serve } from '../serve.ts';
import { VaultError } from '../vault/error.ts';
import { FAULT_OF_OURS, MUST_NOT_RESTART } from './ending.ts';

/** The line on standard output that tells a parent process the port. */
export interface ListeningLine {
  readonly event: 'listening';
  readonly port: number;
  readonly operationsPort?: number;
}

/** Runs the server; SIGINT, SIGTERM, or the end of standard input where a parent holds it, stop it gracefully. */
export async function runServer(config: ServerConfig): Promise<number> {
  const log = openLog((line) => process.stderr.write(line));
  // After an error that nothing caught, what is in memory can no longer be trusted. The process ends; the next start goes on from the store,
  // where every step was committed before its reply left.
  process.once('uncaughtException', (error) => {
    log('error', 'fault', { reason: error.name, stack: framesOf(error) });
    process.exit(FAULT_OF_OURS);
  });
  const server = await serve(config, log).catch(unlessRefused);
  if (server === undefined) return MUST_NOT_RESTART;
  process.stdout.write(
    `${JSON.stringify({
      event: 'listening',
      port: server.port,
      ...(server.operationsPort === undefined ? {} : { operationsPort: server.operationsPort }),
    } satisfies ListeningLine)}\n`,
  );
  await toldToStop();
  log('info', 'stopping');
  await server.close();
  // The channel to a parent would keep the process alive.
  if (process.connected) process.disconnect();
  return 0;
}

/** A token that refused its PIN is not asked again by a service manager that starts us anew: tokens lock. */
function unlessRefused(error: unknown): undefined {
  if (!(error instanceof VaultError) || error.fault !== 'refused') throw error;
  process.stderr.write(`${error.message}\n`);
}

/** A signal, or the end of the channel to a parent. */
export function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
    if (process.send !== undefined) process.once('disconnect', () => resolve());
  });
}
