/** Which files a configuration names, and who may have what of each. */
import type { ServerConfig } from '../config.ts';
import { tokenFolderOf } from '../vault/softhsm.ts';
import type { VaultFile } from '../vault-config.ts';
import type { GuardedFile } from './file-modes.ts';

/** Those of a key server. `file`: the configuration itself. */
export function filesOfServer(file: string, config: ServerConfig): GuardedFile[] {
  const { tls, vault, store, resources } = config;
  return [
    { name: 'the configuration', path: file, kind: 'private' },
    { name: 'tls.key', path: tls.key, kind: 'secret' },
    { name: 'tls.certificate', path: tls.certificate, kind: 'plain' },
    { name: 'tls.stationAuthorities', path: tls.stationAuthorities, kind: 'plain' },
    ...(store.kind === 'sqlite'
      ? ['', '-wal', '-shm'].map(
          (end): GuardedFile => ({
            name: 'store.file',
            path: `${store.file}${end}`,
            kind: 'kept',
          }),
        )
      : store.passwordFile === undefined
        ? []
        : [secret('store.passwordFile', store.passwordFile)]),
    ...('socket' in vault ? [] : filesOfToken('vault.', vault)),
    ...(resources === undefined ? [] : [{ name: 'resources', path: resources, kind: 'plain' } as const]),
  ];
}

/** Those of a vault of another user. */
export function filesOfVault(file: string, vault: VaultFile): GuardedFile[] {
  return [
    { name: 'the configuration', path: file, kind: 'private' },
    ...filesOfToken('', vault),
    ...(vault.resources === undefined
      ? []
      : [{ name: 'resources', path: vault.resources, kind: 'plain' } as const]),
  ];
}

interface TokenFiles {
  readonly module: string;
  readonly pinFile?: string | undefined;
  readonly softhsmConf?: string | undefined;
}

function filesOfToken(prefix: string, { module, pinFile, softhsmConf }: TokenFiles): GuardedFile[] {
  return [
    // Whoever may change the module runs code of their own where the keys are.
    { name: `${prefix}module`, path: module, kind: 'plain' },
    ...(pinFile === undefined ? [] : [secret(`${prefix}pinFile`, pinFile)]),
    ...(softhsmConf === undefined ? [] : filesOfSoftHsm(`${prefix}softhsmConf`, softhsmConf)),
  ];
}

/** SoftHSM's objects stand in a folder that its configuration names; ours is made beside it. */
function filesOfSoftHsm(name: string, conf: string): GuardedFile[] {
  const folder = tokenFolderOf(conf);
  return [
    { name, path: conf, kind: 'plain' },
    ...(folder === undefined ? [] : [{ name: `${name}: the token`, path: folder, kind: 'secrets' } as const]),
  ];
}

function secret(name: string, path: string): GuardedFile {
  return { name, path, kind: 'secret' };
}
