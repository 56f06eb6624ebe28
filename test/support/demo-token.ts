/** The demo's token, made once in a run and copied for each rig: the same keys, in a folder and under a configuration of its own. */
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Delivery,
  type DemoToken,
  makeDelivery,
  makeDemoToken,
  readDelivery,
  writeDelivery,
} from '../../app/demo/delivery.ts';
import { findSoftHsm } from '../../app/demo/softhsm-module.ts';
import type { VaultTokenConfig } from '../../app/keyserver/vault/config.ts';
import { writeSoftHsmConf } from '../../app/keyserver/vault/softhsm.ts';
import { scratchFolder } from './temporary.ts';

/** Names the folder of a test run; without one every token is made anew. */
export const RUN_FOLDER = 'KAIKA_TEST_RUN';

const LABEL = 'test';

/** The token's parts in a folder. */
const tokenIn = (folder: string): DemoToken => ({
  module: findSoftHsm(),
  tokenFolder: join(folder, 'token'),
  tokenLabel: LABEL,
  pinFile: join(folder, 'pin'),
});

async function makeIn(folder: string): Promise<{ token: VaultTokenConfig; delivery: Delivery }> {
  const delivery = makeDelivery();
  return { token: await makeDemoToken(tokenIn(folder), delivery), delivery };
}

/** The run's one; whoever comes first makes it, and of two that do so at once one is kept. */
async function original(run: string): Promise<string> {
  const kept = join(run, 'demo-token');
  if (existsSync(kept)) return kept;
  const folder = scratchFolder('kaika-token-');
  try {
    const { delivery } = await makeIn(folder);
    writeDelivery(join(folder, 'delivery'), delivery);
    const whole = `${kept}-${process.pid}`;
    cpSync(folder, whole, { recursive: true });
    try {
      renameSync(whole, kept);
    } catch (error) {
      rmSync(whole, { recursive: true, force: true });
      if (!existsSync(kept)) throw error;
    }
    return kept;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A demo token in `folder`, and the transport keys that are in it. */
export async function demoToken(folder: string): Promise<{ token: VaultTokenConfig; delivery: Delivery }> {
  const run = process.env[RUN_FOLDER];
  if (run === undefined) return makeIn(folder);
  const from = await original(run);
  const { module, tokenFolder, tokenLabel, pinFile } = tokenIn(folder);
  mkdirSync(tokenFolder, { recursive: true, mode: 0o700 });
  const { softhsmConf, tokenDir } = writeSoftHsmConf(tokenFolder);
  cpSync(join(from, 'token', 'tokens'), tokenDir, { recursive: true });
  cpSync(join(from, 'pin'), pinFile);
  return {
    token: { module, tokenLabel, pin: { pinFile }, softhsmConf, demo: true },
    delivery: readDelivery(join(from, 'delivery')),
  };
}
