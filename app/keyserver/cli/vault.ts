/** `vault`: the token's own user at work, who knows neither store nor stations. What it makes is taken up by `keys activate` of the server. */
import { toHex } from '../../card/bytes.ts';
import { ConfigError } from '../config.ts';
import { rulesToFix } from '../keys/fix.ts';
import { purposesOf } from '../keys/groups.ts';
import { makeInside } from '../keys/make.ts';
import { openLog } from '../log.ts';
import { OWN_RESOURCES, openCatalogue } from '../resources.ts';
import { openVaultAdmin, type VaultAdmin } from '../vault/admin.ts';
import { VaultError } from '../vault/error.ts';
import { serveSocket } from '../vault/service.ts';
import { tokenIn, type VaultFile } from '../vault-config.ts';
import { MUST_NOT_RESTART } from './ending.ts';
import { faultsOfFiles } from './file-modes.ts';
import { filesOfVault } from './guarded-files.ts';
import { toldToStop } from './run.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

/**
 * Serves until it is told to stop. A PIN that the token does not take, and files that are open to others, end it with a status of their own, so
 * that no service manager starts it again and spends the token's tries.
 */
export async function runVault(file: string, config: VaultFile): Promise<number> {
  if (process.platform === 'win32') throw new ConfigError('A vault of another user needs Unix sockets.');
  const faults = faultsOfFiles(filesOfVault(file, config));
  if (faults.length > 0) {
    process.stderr.write(`${faults.join('\n')}\n`);
    return MUST_NOT_RESTART;
  }
  const log = openLog((line) => process.stderr.write(line));
  try {
    const service = await serveSocket({
      ...tokenIn(config),
      socket: config.socket,
      onEvent: ({ kind, ...event }) =>
        log(kind === 'ended' || kind === 'start-failed' ? 'warn' : 'info', `vault-${kind}`, {
          ...('pid' in event && event.pid !== undefined ? { pid: event.pid } : {}),
          ...('reason' in event ? { reason: event.reason } : {}),
        }),
    });
    say(JSON.stringify({ event: 'listening', socket: config.socket }));
    await toldToStop();
    log('info', 'stopping');
    await service.close();
    return 0;
  } catch (error) {
    if (!(error instanceof VaultError) || error.fault !== 'refused') throw error;
    process.stderr.write(`${error.message}\n`);
    return MUST_NOT_RESTART;
  }
}

/** @throws ConfigError, KaikaError `bad-request`, VaultError */
export async function makeInToken(config: VaultFile, key: string | undefined): Promise<number> {
  if (key === undefined) throw new ConfigError('vault make needs --key KEY.');
  const catalogue = openCatalogue(config.resources ?? OWN_RESOURCES);
  await atToken(config, async (admin) => {
    for (const made of await makeInside(
      admin,
      catalogue,
      purposesOf(catalogue, key),
      await admin.listMasters(),
      [],
    ))
      say(`${made.purpose} issuer v${made.version} check value ${toHex(made.checkValue)} made`);
  });
  return 0;
}

/** @throws KaikaError `bad-request`, VaultError */
export async function fixInToken(config: VaultFile): Promise<number> {
  const catalogue = openCatalogue(config.resources ?? OWN_RESOURCES);
  await atToken(config, async (admin) => {
    for (const one of rulesToFix(catalogue, await admin.listMasters())) {
      const { purpose, origin, version, rule } = await admin.setRule(one);
      say(`${purpose} ${origin} v${version} diversified by ${rule?.diversifiedBy ?? 'nothing'}`);
    }
  });
  return 0;
}

async function atToken(config: VaultFile, work: (admin: VaultAdmin) => Promise<void>): Promise<void> {
  const admin = await openVaultAdmin(tokenIn(config));
  try {
    await work(admin);
  } finally {
    await admin.close();
  }
}
