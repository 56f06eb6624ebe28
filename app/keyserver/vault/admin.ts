/**
 * Set-up and ceremony: making tokens and keys. Runs in a process of its own that ends with `close()`; the serving process has
 * no such operation.
 */
import type { z } from 'zod';
import { adminOperations } from './admin-operations.ts';
import { wipeMessage } from './bytes-schema.ts';
import { tokenConfigOf, type VaultTokenConfig } from './config.ts';
import { type CallsOf, callsOf } from './operation.ts';
import { type SoftHsmPaths, writeSoftHsmConf } from './softhsm.ts';
import { entryOf, unwrap, VaultChild } from './vault-child.ts';

const CALL_TIMEOUT_MS = 30_000;

type AdminCalls = CallsOf<typeof adminOperations>;

/** An open token, for set-up and ceremony. */
export type VaultAdmin = Omit<AdminCalls, 'configure' | 'initToken'> & { close(): Promise<void> };

function adminOf(child: VaultChild): AdminCalls {
  const ask = async (op: string, request: unknown, answer: z.ZodType): Promise<unknown> => {
    const timer = setTimeout(() => child.kill(), CALL_TIMEOUT_MS);
    try {
      return answer.parse(unwrap(await child.ask({ op, request })));
    } finally {
      clearTimeout(timer);
      // Whatever bytes come here are a PIN or a key in clear.
      wipeMessage(request);
    }
  };
  return callsOf(adminOperations, ask);
}

/**
 * Opens a token for set-up or ceremony.
 * @throws VaultError `hsm-away` when the token is not there or does not accept the PIN
 */
export async function openVaultAdmin(config: VaultTokenConfig): Promise<VaultAdmin> {
  const { pin } = config;
  const child = new VaultChild(entryOf('admin-main'), config, 'pinEnv' in pin ? pin.pinEnv : undefined);
  const { configure, initToken: _, ...admin } = adminOf(child);
  try {
    await configure({ config: tokenConfigOf(config) });
  } catch (error) {
    await child.end();
    throw error;
  }
  return { ...admin, close: () => child.end() };
}

/** A new software token. */
interface SoftTokenRequest {
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
  const child = new VaultChild(entryOf('admin-main'), paths);
  try {
    const { module, label } = request;
    await adminOf(child).initToken({ module, label, pin, soPin });
    return paths;
  } finally {
    await child.end();
  }
}
