/**
 * Entry of the serving vault process, started by client.ts. It and, while keys are made, admin-main.ts load the PKCS#11 module and read a PIN
 * that is in a file; nothing else of the server does either.
 */
import { VAULT_FAMILIES } from '../registry.ts';
import { serveVault } from './serve-vault.ts';

await serveVault(VAULT_FAMILIES);
