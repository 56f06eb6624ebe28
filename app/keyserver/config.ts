/** The key server's configuration file (docs/guide/key-server.md). Paths in it are relative to its folder. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { limitsSchema } from './limits.ts';
import { type StoreConfig, storeConfigSchema } from './store/config.ts';
import type { VaultTokenConfig } from './vault/config.ts';

const path = z.string().min(1).max(4096);

export const configSchema = z.strictObject({
  listen: z.strictObject({
    host: z.string().min(1).default('127.0.0.1'),
    port: z.number().int().min(0).max(65_535),
  }),
  tls: z.strictObject({ key: path, certificate: path, stationAuthorities: path }),
  store: storeConfigSchema,
  vault: z
    .strictObject({
      module: path,
      tokenLabel: z.string().min(1).max(32),
      /** Identifier of the token's slot, where more than one token has the label. */
      slot: z.number().int().min(0).max(0xffff_ffff).optional(),
      /** Where the PIN is: a file, or a variable of the environment. */
      pinFile: path.optional(),
      pinEnv: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
        .optional(),
      softhsmConf: path.optional(),
    })
    .refine(({ pinFile, pinEnv }) => (pinFile === undefined) !== (pinEnv === undefined), {
      message: 'one of pinFile and pinEnv says where the PIN is',
    }),
  /** Folder with apps.json, profiles/ and packages/; the program's own when left out. */
  resources: path.optional(),
  leaseSeconds: z.number().int().min(5).max(3600).default(120),
  limits: limitsSchema.prefault({}),
  /** Metrics, health and readiness without a certificate, for this machine only; none when left out. */
  operations: z
    .strictObject({
      host: z.enum(['127.0.0.1', '::1']).default('127.0.0.1'),
      port: z.number().int().min(0).max(65_535),
    })
    .optional(),
  /** A demo PKI and demo keys: for loopback only, refused elsewhere; without it a token of demo keys is refused. */
  demo: z.boolean().default(false),
});
export type ServerConfig = z.infer<typeof configSchema>;

/** What the vault is told of it. */
export function vaultConfigOf({ vault, demo }: ServerConfig): VaultTokenConfig {
  const { module, tokenLabel, slot, pinFile, pinEnv, softhsmConf } = vault;
  const pin = pinFile === undefined ? { pinEnv: pinEnv ?? '' } : { pinFile };
  return { module, tokenLabel, pin, softhsmConf, demo, ...(slot === undefined ? {} : { slot }) };
}

/** The configuration cannot be used; the message names file and field, in a sentence for an administrator. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/** Reads and checks a configuration file; its paths come back absolute. @throws ConfigError */
export function readConfig(file: string): ServerConfig {
  const parsed = configSchema.safeParse(readJson(file));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ConfigError(
      `${file}: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'is not valid'}`,
    );
  }
  const config = parsed.data;
  if (config.demo && !LOOPBACK.has(config.listen.host)) {
    throw new ConfigError(`${file}: listen.host: a demo server may listen on this machine only (127.0.0.1)`);
  }
  const at = (relative: string) => resolve(dirname(file), relative);
  const { softhsmConf, pinFile, ...vault } = config.vault;
  return {
    ...config,
    tls: {
      key: at(config.tls.key),
      certificate: at(config.tls.certificate),
      stationAuthorities: at(config.tls.stationAuthorities),
    },
    store: storeAt(config.store, at),
    vault: {
      ...vault,
      module: at(vault.module),
      ...(pinFile === undefined ? {} : { pinFile: at(pinFile) }),
      ...(softhsmConf === undefined ? {} : { softhsmConf: at(softhsmConf) }),
    },
    ...(config.resources === undefined ? {} : { resources: at(config.resources) }),
  };
}

function storeAt(store: StoreConfig, at: (relative: string) => string): StoreConfig {
  if (store.kind === 'sqlite') return { ...store, file: at(store.file) };
  const { passwordFile, authorities, ...rest } = store;
  return {
    ...rest,
    ...(passwordFile === undefined ? {} : { passwordFile: at(passwordFile) }),
    ...(authorities === undefined ? {} : { authorities: at(authorities) }),
  };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    throw new ConfigError(`${file}: the configuration ${reason}`);
  }
}
