/** Entry of the serving vault process, started by client.ts. It alone loads the PKCS#11 module and knows the PIN. */
import { VAULT_FAMILIES } from '../registry.ts';
import { serveVault } from './serve-vault.ts';

await serveVault(VAULT_FAMILIES);
