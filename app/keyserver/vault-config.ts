/** The configuration of a vault that runs as a user of its own (docs/guide/key-server.md). Paths in it are relative to its folder. */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { readBy, tokenAt } from './config.ts';
import type { VaultTokenConfig } from './vault/config.ts';

const path = z.string().min(1).max(4096);

const vaultFileSchema = z.strictObject({
  /** Where the key server finds it: a Unix socket, in a folder that only this user and one group have a way into. */
  socket: path,
  module: path,
  tokenLabel: z.string().min(1).max(32),
  slot: z.number().int().min(0).max(0xffff_ffff).optional(),
  pinFile: path,
  softhsmConf: path.optional(),
  /** What new masters are fixed to is read here; the program's own folder when left out. The server's user must not be able to write it. */
  resources: path.optional(),
  demo: z.boolean().default(false),
});
export type VaultFile = z.infer<typeof vaultFileSchema>;

/** Reads and checks it; its paths come back absolute. @throws ConfigError */
export function readVaultFile(file: string): VaultFile {
  const config = readBy(() => vaultFileSchema, file);
  const at = (relative: string) => resolve(dirname(file), relative);
  return {
    ...tokenAt(config, at),
    socket: at(config.socket),
    ...(config.resources === undefined ? {} : { resources: at(config.resources) }),
  };
}

/** The token in it. */
export function tokenIn({
  module,
  tokenLabel,
  slot,
  pinFile,
  softhsmConf,
  demo,
}: VaultFile): VaultTokenConfig {
  return {
    module,
    tokenLabel,
    pin: { pinFile },
    softhsmConf,
    demo,
    ...(slot === undefined ? {} : { slot }),
  };
}
