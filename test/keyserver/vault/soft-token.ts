/** A SoftHSM token in a folder of its own, for tests on the real module. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initToken } from '../../../app/keyserver/vault/admin.ts';
import type { VaultTokenConfig } from '../../../app/keyserver/vault/config.ts';

const CANDIDATES = [
  process.env['KAIKA_SOFTHSM_MODULE'] ?? '',
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
];

/** SoftHSM's module on this machine. */
export function softHsmModule(): string {
  const found = CANDIDATES.find((path) => path !== '' && existsSync(path));
  if (found === undefined) throw new Error('softhsm2 is not installed');
  return found;
}

export interface SoftToken {
  readonly config: VaultTokenConfig & { readonly softhsmConf: string };
  readonly tokenDir: string;
  readonly pinFile: string;
  readonly pin: string;
  readonly folder: string;
  remove(): void;
}

/** A new token with a random PIN; the folder's name has a space in it. */
export async function makeSoftToken(label = 'kaika test'): Promise<SoftToken> {
  const folder = mkdtempSync(join(tmpdir(), 'kaika vault '));
  const pin = randomBytes(8).toString('hex');
  const pinFile = join(folder, 'pin');
  writeFileSync(pinFile, `${pin}\n`, { mode: 0o600 });
  const module = softHsmModule();
  const tokenFolder = join(folder, 'hsm');
  const { softhsmConf, tokenDir } = await initToken({ module, tokenFolder, label, pin, soPin: `so-${pin}` });
  return {
    config: { module, tokenLabel: label, pin: { pinFile }, softhsmConf },
    tokenDir,
    pinFile,
    pin,
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
