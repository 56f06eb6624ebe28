/** Catalogue and packages from the resources folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toHex } from '../card/bytes.ts';
import { decodeTextFile } from '../card/text-file.ts';
import { readCatalogue } from '../catalogue/files.ts';
import type { Catalogue } from '../catalogue/schema.ts';
import type { DialectRegistry } from '../dialects/read-rule.ts';
import { DIALECTS } from '../dialects/registry.ts';
import { readCapFile } from '../globalplatform/cap-file.ts';
import { LoadFileTooLarge } from '../globalplatform/errors.ts';
import { blockCount } from '../globalplatform/load.ts';
import { KaikaError } from '../protocol/errors.ts';
import { ConfigError } from './config.ts';
import type { LoadPackage } from './issuer/ports.ts';

/** The program's own resources folder. */
export const OWN_RESOURCES = fileURLToPath(new URL('../../resources/', import.meta.url));

export function openCatalogue(folder: string, dialects: DialectRegistry = DIALECTS): Catalogue {
  const files = {
    list: (below: string) => readdirSync(join(folder, below)),
    read: (file: string) => decodeTextFile(readFileSync(join(folder, file))),
  };
  return readCatalogue(files, dialects);
}

/**
 * The packages of all apps, read and checked once at the start.
 * @throws CapFileError for a damaged one; ConfigError when a package is not the one its app names or needs more memory than declared.
 */
export function openPackages(folder: string, catalogue: Catalogue): (app: string) => LoadPackage {
  const packages = new Map<string, LoadPackage>();
  for (const app of catalogue.apps) {
    if (app.package === undefined) continue;
    const cap = readCapFile(readFileSync(join(folder, 'packages', app.package)));
    if (cap.package.aid !== app.packageAid || !cap.applets.includes(app.appletAid)) {
      throw new ConfigError(`${app.package} is not the package that apps.json names for ${app.id}`);
    }
    const { bytes, sha256 } = cap.loadFile();
    if (bytes.length > app.memory.load) {
      throw new ConfigError(`${app.package} needs more memory than apps.json declares for ${app.id}`);
    }
    refuseTooLarge(catalogue, app.id, app.package, bytes);
    packages.set(app.id, { loadFile: bytes, hash: toHex(sha256) });
  }
  return (app) => {
    const found = packages.get(app);
    if (found === undefined) throw new KaikaError('app-cannot-be-loaded', 'there is no package', { app });
    return found;
  };
}

/** Refuses at the start a package that a card type's blocks cannot carry (LOAD has 256); otherwise a customer's card would fail at the counter. */
function refuseTooLarge(catalogue: Catalogue, app: string, file: string, bytes: Uint8Array): void {
  for (const { id, apps, securityDomain } of catalogue.profiles) {
    if (securityDomain === undefined || !Object.hasOwn(apps, app)) continue;
    try {
      blockCount(bytes, securityDomain.blockSize);
    } catch (error) {
      if (!(error instanceof LoadFileTooLarge)) throw error;
      throw new ConfigError(`${file} of ${app} is too large for cards of type ${id}: ${error.message}`);
    }
  }
}
