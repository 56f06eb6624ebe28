/** Puts a key server together from its configuration and runs it until it is closed. */
import { randomBytes } from 'node:crypto';
import { forgetOldTries } from './access/sign-in-tries.ts';
import { buildHttpServer, type Watching } from './api/server.ts';
import { type ServerConfig, vaultConfigOf } from './config.ts';
import type { JobContext } from './jobs/context.ts';
import { openActiveVersions } from './keys/active-versions.ts';
import type { Log } from './log.ts';
import { type OperationsListener, openOperations } from './operations/listener.ts';
import { measuredVault } from './operations/measured-vault.ts';
import { Metrics } from './operations/metrics.ts';
import { ReadinessCheck } from './operations/readiness.ts';
import { noteVault } from './operations/vault-events.ts';
import { OWN_RESOURCES, openCatalogue, openPackages } from './resources.ts';
import { dropOldCounts } from './store/counters.ts';
import { readStoreGeneration } from './store/generation.ts';
import { openStore } from './store/open.ts';
import { dropOldReceipts } from './store/steps.ts';
import { readTls, type TlsFiles } from './tls-files.ts';
import { startVault } from './vault/client.ts';

/** Longer than any request takes, shorter than a service manager waits. */
const STOP_MS = 20_000;
const SWEEP_MS = 3600_000;

interface RunningServer {
  readonly port: number;
  /** Of metrics, health and readiness; undefined when the configuration has none. */
  readonly operationsPort: number | undefined;
  /** Finishes the requests in hand, then closes store and vault. */
  close(): Promise<void>;
}

/** @throws what the parts throw when they cannot be opened; nothing is left open or running then. */
export async function serve(config: ServerConfig, log: Log): Promise<RunningServer> {
  const folder = config.resources ?? OWN_RESOURCES;
  const catalogue = openCatalogue(folder);
  const packages = openPackages(folder, catalogue);
  const tls = readTls(config);
  const store = await openStore(config.store);
  return closingOnError(
    () => store.destroy(),
    async () => {
      const storeGeneration = await readStoreGeneration(store);
      const metrics = new Metrics();
      const started = await startVault({
        ...vaultConfigOf(config),
        onEvent: (event) => noteVault(event, log, metrics),
      });
      const vault = measuredVault(started, metrics);
      const readiness = new ReadinessCheck(store, started);
      const context: JobContext = {
        store,
        vault,
        catalogue,
        package: packages,
        activeVersions: openActiveVersions({ store, vault, now: () => Date.now() }),
        now: () => new Date(),
        random: (bytes) => new Uint8Array(randomBytes(bytes)),
        leaseMilliseconds: config.leaseSeconds * 1000,
        limits: config.limits,
        storeGeneration,
      };
      return closingOnError(
        () => vault.close(),
        () => listen(config, context, tls, log, { metrics, readiness }),
      );
    },
  );
}

/** Opens the doors, and sweeps now and then, on parts that are open already. `close` of what it gives closes those parts too. */
async function listen(
  config: ServerConfig,
  context: JobContext,
  tls: TlsFiles,
  log: Log,
  watching: Watching,
): Promise<RunningServer> {
  const { store, vault } = context;
  const { metrics, readiness } = watching;
  const http = buildHttpServer(context, tls, log, watching);
  let operations: OperationsListener | undefined;
  const sweep = setInterval(() => {
    const now = new Date();
    void Promise.all([
      dropOldCounts(store, now),
      dropOldReceipts(store, now),
      forgetOldTries(store, now),
    ]).catch(() => log('warn', 'sweep-failed'));
  }, SWEEP_MS);
  sweep.unref();
  const stopListening = async () => {
    clearInterval(sweep);
    readiness.stop();
    // A connection on which no request was ever made does not count as idle to Node, and `close` would wait for it for ever. By the
    // time the limit is up, every request that was in hand has been answered.
    const limit = setTimeout(() => http.server.closeAllConnections(), STOP_MS);
    await http.close();
    clearTimeout(limit);
    await operations?.close();
  };
  await closingOnError(stopListening, async () => {
    if (config.operations !== undefined)
      operations = await openOperations(config.operations, metrics, readiness);
    await http.listen({ host: config.listen.host, port: config.listen.port });
  });
  const address = http.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.listen.port;
  log('info', 'listening', { host: config.listen.host, port });
  return {
    port,
    operationsPort: operations?.port,
    async close() {
      await stopListening();
      await vault.close();
      await store.destroy();
    },
  };
}

/** Gives what `work` gives. When it throws, the part that was opened before it is closed first: a part left open keeps the process alive. */
async function closingOnError<T>(close: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await close();
    throw error;
  }
}
