/**
 * A key server process that ends itself with SIGKILL at its n-th commit: `before` with everything written and nothing committed, `after` with
 * everything committed and nobody told. It loads its program, and does nothing until it is told over the channel what to serve. The vault is the
 * parent's. Says its port as `serve` does.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { buildHttpServer } from '../../app/keyserver/api/server.ts';
import { readConfig } from '../../app/keyserver/config.ts';
import { openActiveVersions } from '../../app/keyserver/keys/active-versions.ts';
import { OWN_RESOURCES, openCatalogue, openPackages } from '../../app/keyserver/resources.ts';
import { openStore } from '../../app/keyserver/store/open.ts';
import type { Serve } from './dying-http-servers.ts';
import { dyingStore } from './dying-store.ts';
import { parentsVault, type VaultAnswer } from './parents-vault.ts';

const { vault, answered } = parentsVault();

async function serve({ file, death }: Serve): Promise<void> {
  const config = readConfig(file);
  const store = await openStore(config.store);
  const catalogue = openCatalogue(OWN_RESOURCES);
  const { dying } = dyingStore(store, death, () => {
    process.kill(process.pid, 'SIGKILL');
    throw new Error('still alive');
  });
  const http = buildHttpServer(
    {
      store: dying,
      vault,
      catalogue,
      package: openPackages(OWN_RESOURCES, catalogue),
      activeVersions: openActiveVersions({ store, vault, now: () => Date.now() }),
      now: () => new Date(),
      random: (bytes) => new Uint8Array(randomBytes(bytes)),
      leaseMilliseconds: config.leaseSeconds * 1000,
      limits: config.limits,
      storeGeneration: 1,
    },
    {
      key: readFileSync(config.tls.key, 'utf8'),
      cert: readFileSync(config.tls.certificate, 'utf8'),
      ca: readFileSync(config.tls.stationAuthorities, 'utf8'),
    },
    () => undefined,
  );
  await http.listen({ host: config.listen.host, port: config.listen.port });
  process.stdout.write(
    `${JSON.stringify({ event: 'listening', port: config.listen.port, operationsPort: 0 })}\n`,
  );
}

process.on('message', (message: Serve | VaultAnswer) => {
  if (message.kind === 'serve') void serve(message);
  else answered(message);
});
process.once('disconnect', () => process.exit(0));
