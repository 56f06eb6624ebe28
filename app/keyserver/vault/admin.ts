/**
 * Set-up and ceremony: making tokens and keys. Runs in a process of its own that ends with `close()`; the serving process has
 * no such operation.
 */
import { z } from 'zod';
import { wipe } from '../../card/bytes.ts';
import type { AdminCall } from './admin-messages.ts';
import { tokenConfigOf, type VaultTokenConfig } from './config.ts';
import { masterInfoSchema } from './messages.ts';
import type { VaultAdmin } from './port.ts';
import { type SoftHsmPaths, writeSoftHsmConf } from './softhsm.ts';
import { unwrap, VaultChild } from './vault-child.ts';

const CALL_TIMEOUT_MS = 30_000;

async function ask<T>(child: VaultChild, call: AdminCall, answer: z.ZodType<T>): Promise<T> {
  const timer = setTimeout(() => child.kill(), CALL_TIMEOUT_MS);
  try {
    return answer.parse(unwrap(await child.ask(call)));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Opens a token for set-up or ceremony.
 * @throws VaultError `hsm-away` when the token is not there or does not accept the PIN
 */
export async function openVaultAdmin(config: VaultTokenConfig): Promise<VaultAdmin> {
  const { pin } = config;
  const child = new VaultChild('admin-main', config, 'pinEnv' in pin ? pin.pinEnv : undefined);
  try {
    await ask(child, { op: 'configure', config: tokenConfigOf(config) }, z.undefined());
  } catch (error) {
    await child.end();
    throw error;
  }
  return {
    generateMaster: (id, algorithm) => ask(child, { op: 'generateMaster', id, algorithm }, masterInfoSchema),
    importMaster: async (id, algorithm, value) => {
      try {
        return await ask(child, { op: 'importMaster', id, algorithm, value }, masterInfoSchema);
      } finally {
        wipe(value);
      }
    },
    listMasters: () => ask(child, { op: 'listMasters' }, z.array(masterInfoSchema)),
    ensureSealKey: () => ask(child, { op: 'ensureSealKey' }, z.undefined()),
    markDemo: () => ask(child, { op: 'markDemo' }, z.undefined()),
    close: () => child.end(),
  };
}

/** A new software token. */
export interface SoftTokenRequest {
  /** Path of SoftHSM's module. */
  readonly module: string;
  /** Folder of the token and of its softhsm2.conf; made with mode 0700. */
  readonly tokenFolder: string;
  /** 1 to 32 printable ASCII characters. */
  readonly label: string;
  /** PIN of the user, 4 to 255 bytes. */
  readonly pin: string | Uint8Array;
  /** PIN of the security officer, 4 to 255 bytes. */
  readonly soPin: string | Uint8Array;
}

/**
 * Makes a SoftHSM token in a folder and gives the paths to configure.
 * @throws VaultError `refused` when there is one with this label already, `hsm-away` when the module fails
 */
export async function initToken(request: SoftTokenRequest): Promise<SoftHsmPaths> {
  const paths = writeSoftHsmConf(request.tokenFolder);
  const pin = Buffer.from(request.pin);
  const soPin = Buffer.from(request.soPin);
  const child = new VaultChild('admin-main', paths);
  try {
    const { module, label } = request;
    await ask(child, { op: 'initToken', module, label, pin, soPin }, z.undefined());
    return paths;
  } finally {
    wipe(pin, soPin);
    await child.end();
  }
}
