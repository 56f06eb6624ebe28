/** What a vault process is told at its start: which module, which token, where the PIN is. */
import { z } from 'zod';

/** Where the PIN comes from: a file only the vault's user may read (better), or a variable of the environment. */
const pinSourceSchema = z.union([
  z.strictObject({ pinFile: z.string().min(1) }),
  z.strictObject({ pinEnv: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/) }),
]);

/** Where the PIN comes from. */
export type PinSource = z.infer<typeof pinSourceSchema>;

/** The token a vault works on, as it crosses to the vault process. */
export const tokenConfigSchema = z.strictObject({
  /** Path of the PKCS#11 module. */
  module: z.string().min(1),
  /** CKA label of the token, at most 32 bytes (PKCS#11 CK_TOKEN_INFO). */
  tokenLabel: z.string().min(1).max(32),
  /** CK_SLOT_ID, where more than one token has the label. */
  slot: z.int().min(0).max(0xffff_ffff).optional(),
  pin: pinSourceSchema,
  /** Whether a token that is marked as a demonstration's may be used; without it, it is refused. */
  demo: z.boolean().optional(),
});

/** The token a vault works on. */
export type TokenConfig = z.infer<typeof tokenConfigSchema>;

/** Everything about a token that an installation configures. */
export interface VaultTokenConfig extends TokenConfig {
  /** SoftHSM only: path of its softhsm2.conf, put into the vault process's environment before the module loads. */
  readonly softhsmConf?: string | undefined;
  /** Further environment that the module needs (a vendor's configuration path); nothing else is passed on. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

/** What of it crosses to a vault process. */
export function tokenConfigOf({ module, tokenLabel, slot, pin, demo }: VaultTokenConfig): TokenConfig {
  return {
    module,
    tokenLabel,
    pin,
    ...(slot === undefined ? {} : { slot }),
    ...(demo === undefined ? {} : { demo }),
  };
}
