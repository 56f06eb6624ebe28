/**
 * A key server process that ends itself with SIGKILL at its n-th commit: `before` with everything written and nothing committed, `after` with
 * everything committed and nobody told. Arguments: configuration, n, before or after. Says its port as `serve` does.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { buildHttpServer } from '../../app/keyserver/api/server.ts';
import { readConfig, vaultConfigOf } from '../../app/keyserver/config.ts';
import { openActiveVersions } from '../../app/keyserver/keys/active-versions.ts';
import { OWN_RESOURCES, openCatalogue, openPackages } from '../../app/keyserver/resources.ts';
import { openStore } from '../../app/keyserver/store/open.ts';
import { startVault } from '../../app/keyserver/vault/client.ts';
import { dyingStore } from './dying-store.ts';

const [file = '', nth = '', when = ''] = process.argv.slice(2);
const config = readConfig(file);
const store = await openStore(config.store);
const vault = await startVault(vaultConfigOf(config));
const catalogue = openCatalogue(OWN_RESOURCES);

const { dying } = dyingStore(store, { at: Number(nth), when: when === 'before' ? 'before' : 'after' }, () => {
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
