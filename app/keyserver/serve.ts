/** Puts a key server together from its configuration and runs it until it is closed. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { openActiveVersions } from './active-versions.ts';
import type { ServerConfig } from './config.ts';
import { buildHttpServer } from './http/server.ts';
import type { JobContext } from './jobs/context.ts';
import type { Log } from './log.ts';
import { OWN_RESOURCES, openCatalogue, openPackages } from './resources.ts';
import { openStore } from './store/open.ts';
import { startVault } from './vault/client.ts';

export interface RunningServer {
  readonly port: number;
  /** Finishes the requests in hand, then closes store and vault. */
  close(): Promise<void>;
}

/** @throws what the parts throw when they cannot be opened; nothing is left running then. */
export async function serve(config: ServerConfig, log: Log): Promise<RunningServer> {
  const folder = config.resources ?? OWN_RESOURCES;
  const catalogue = openCatalogue(folder);
  const packages = openPackages(folder, catalogue);
  const tls = {
    key: readFileSync(config.tls.key, 'utf8'),
    cert: readFileSync(config.tls.certificate, 'utf8'),
    ca: readFileSync(config.tls.stationAuthorities, 'utf8'),
  };
  const store = await openStore(config.store);
  const vault = await startVault({
    module: config.vault.module,
    tokenLabel: config.vault.tokenLabel,
    pin: { pinFile: config.vault.pinFile },
    softhsmConf: config.vault.softhsmConf,
  });
  const context: JobContext = {
    store,
    vault,
    catalogue,
    package: packages,
    activeVersions: openActiveVersions(vault, () => Date.now()),
    now: () => new Date(),
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    leaseMilliseconds: config.leaseSeconds * 1000,
    limits: config.limits,
  };
  const http = buildHttpServer(context, tls, log);
  const close = async () => {
    await http.close();
    await vault.close();
    await store.destroy();
  };
  try {
    await http.listen({ host: config.listen.host, port: config.listen.port });
  } catch (error) {
    await close();
    throw error;
  }
  const address = http.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.listen.port;
  log('info', 'listening', { host: config.listen.host, port });
  return { port, close };
}
