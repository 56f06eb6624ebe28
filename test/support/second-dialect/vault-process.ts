/** Entry of a vault process that knows Lantern too. */
import { serveVault } from '../../../app/keyserver/vault/process/serve-vault.ts';
import { FAMILIES_WITH_LANTERN } from './vault-families.ts';

await serveVault(FAMILIES_WITH_LANTERN);
