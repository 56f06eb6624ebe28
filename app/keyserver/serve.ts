/** Puts a key server together from its configuration and runs it until it is closed. */
import { randomBytes } from 'node:crypto';
import { buildHttpServer } from './api/server.ts';
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
import { readTls } from './tls-files.ts';
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

/** @throws what the parts throw when they cannot be opened; nothing is left running then. */
export async function serve(config: ServerConfig, log: Log): Promise<RunningServer> {
  const folder = config.resources ?? OWN_RESOURCES;
  const catalogue = openCatalogue(folder);
  const packages = openPackages(folder, catalogue);
  const tls = readTls(config);
  const store = await openStore(config.store);
  const storeGeneration = await readStoreGeneration(store);
  const metrics = new Metrics();
  const started = await startVault({
    ...vaultConfigOf(config),
    onEvent: (event) => noteVault(event, log, metrics),
  }).catch(async (error: unknown) => {
    await store.destroy();
    throw error;
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
  const http = buildHttpServer(context, tls, log, { metrics, readiness });
  let operations: OperationsListener | undefined;
  const sweep = setInterval(() => {
    const now = new Date();
    void Promise.all([dropOldCounts(store, now), dropOldReceipts(store, now)]).catch(() =>
      log('warn', 'sweep-failed'),
    );
  }, SWEEP_MS);
  sweep.unref();
  const close = async () => {
    clearInterval(sweep);
    readiness.stop();
    // Lines on which nothing was ever asked are not idle to Node; requests in hand are long over by then.
    const limit = setTimeout(() => http.server.closeAllConnections(), STOP_MS);
    await http.close();
    clearTimeout(limit);
    await operations?.close();
    await vault.close();
    await store.destroy();
  };
  try {
    if (config.operations !== undefined)
      operations = await openOperations(config.operations, metrics, readiness);
    await http.listen({ host: config.listen.host, port: config.listen.port });
  } catch (error) {
    await close();
    throw error;
  }
  const address = http.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.listen.port;
  log('info', 'listening', { host: config.listen.host, port });
  return { port, operationsPort: operations?.port, close };
}
