/** The key server's configuration file (docs/guide/key-server.md). Paths in it are relative to its folder. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { decodeTextFile, TextFileError } from '../card/text-file.ts';
import { limitsSchema } from './limits.ts';
import { type StoreConfig, storeConfigSchema } from './store/config.ts';
import type { VaultTokenConfig } from './vault/config.ts';

const path = z.string().min(1).max(4096);

/** The token in a vault process of the server's own user: who has that user has PIN and token too. */
const ofOurUser = z
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
  });

/** A vault that runs as another user, behind its socket (`vault --config`). */
const ofAnotherUser = z.strictObject({ socket: path });

export const configSchema = z.strictObject({
  listen: z.strictObject({
    host: z.string().min(1).default('127.0.0.1'),
    port: z.number().int().min(0).max(65_535),
  }),
  tls: z.strictObject({ key: path, certificate: path, stationAuthorities: path }),
  store: storeConfigSchema,
  vault: z.union([ofOurUser, ofAnotherUser]),
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

/** How the server reaches the vault. */
export function vaultConfigOf(
  config: Pick<ServerConfig, 'vault' | 'demo'>,
): VaultTokenConfig | { readonly socket: string } {
  const { vault } = config;
  return 'socket' in vault ? { socket: vault.socket } : tokenOf(config);
}

/** The token, for ceremony. @throws ConfigError where it is another user's */
export function tokenOf({ vault, demo }: Pick<ServerConfig, 'vault' | 'demo'>): VaultTokenConfig {
  if ('socket' in vault)
    throw new ConfigError(
      'The token is the vault’s own user’s: run "vault make" or "vault fix" as that user, with the vault’s configuration.',
    );
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
  const config: ServerConfig = readBy(schemaFor, file);
  if (config.demo && !LOOPBACK.has(config.listen.host)) {
    throw new ConfigError(`${file}: listen.host: a demo server may listen on this machine only (127.0.0.1)`);
  }
  const at = (relative: string) => resolve(dirname(file), relative);
  return {
    ...config,
    tls: {
      key: at(config.tls.key),
      certificate: at(config.tls.certificate),
      stationAuthorities: at(config.tls.stationAuthorities),
    },
    store: storeAt(config.store, at),
    vault: 'socket' in config.vault ? { socket: at(config.vault.socket) } : tokenAt(config.vault, at),
    ...(config.resources === undefined ? {} : { resources: at(config.resources) }),
  };
}

const namesSocket = z.object({ vault: z.object({ socket: z.unknown() }) });

/** Of the two forms of `vault` the one that is meant, so that what is wrong in it can be said field by field. */
function schemaFor(content: unknown): z.ZodType<ServerConfig> {
  const socket = namesSocket.safeParse(content).success;
  return configSchema.extend({ vault: socket ? ofAnotherUser : ofOurUser });
}

/** A file of the shape that goes with what is in it. @throws ConfigError with a sentence for each field that is wrong */
export function readBy<T>(schemaOf: (content: unknown) => z.ZodType<T>, file: string): T {
  const content = readJson(file);
  const parsed = schemaOf(content).safeParse(content);
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.flatMap(sentencesOf);
  throw new ConfigError([...new Set(said)].map((sentence) => `${file}: ${sentence}`).join('\n'));
}

/** A token's configuration with absolute paths. */
export function tokenAt<T extends TokenPaths>(token: T, at: (relative: string) => string): T {
  const { module, pinFile, softhsmConf } = token;
  return {
    ...token,
    module: at(module),
    ...(pinFile === undefined ? {} : { pinFile: at(pinFile) }),
    ...(softhsmConf === undefined ? {} : { softhsmConf: at(softhsmConf) }),
  };
}

interface TokenPaths {
  readonly module: string;
  readonly pinFile?: string | undefined;
  readonly softhsmConf?: string | undefined;
}

/** What is wrong with one field, for an administrator; never the value, which may be a secret in the wrong place. */
function sentencesOf(issue: z.core.$ZodIssue): string[] {
  const field = issue.path.join('.');
  const place = field === '' ? 'the file' : field;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => `${field === '' ? key : `${field}.${key}`}: there is no such field`);
    case 'invalid_type':
      return [
        /received undefined/.test(issue.message)
          ? `${place}: is missing`
          : `${place}: must be ${A_KIND[issue.expected] ?? issue.expected}`,
      ];
    case 'invalid_union':
      return issue.discriminator === undefined
        ? [`${place}: is not valid`]
        : [`${place}: must be one of those in the guide`];
    case 'invalid_value':
      return [`${place}: must be ${issue.values.map(String).join(' or ')}`];
    case 'too_small':
      return [`${place}: must be ${issue.origin === 'string' ? 'longer' : `${issue.minimum} at least`}`];
    case 'too_big':
      return [`${place}: must be ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''} at most`];
    case 'custom':
      return [`${place}: ${issue.message}`];
    default:
      return [`${place}: is not of the right form`];
  }
}

const A_KIND: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
};

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
    return JSON.parse(decodeTextFile(readFileSync(file)));
  } catch (error) {
    if (error instanceof TextFileError) throw new ConfigError(`${file}: the configuration ${error.message}`);
    const reason = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    throw new ConfigError(`${file}: the configuration ${reason}`);
  }
}
