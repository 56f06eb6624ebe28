/**
 * GlobalPlatformPro and gpshell, which Debian does not have: whoever has them names them in KAIKA_GP (a gp.jar or a
 * program) and KAIKA_GPSHELL (docs/guide/virtual-card.md).
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rigAvailability } from '../../app/simulator/rig/index.ts';
import { archive, smallPackage } from '../globalplatform/cap-archive.ts';
import { LIMIT } from '../support/limit.ts';
import { type RunningCard, runTool, startCard } from '../support/running-card.ts';

const here = (await rigAvailability()).available;
const gp = process.env['KAIKA_GP'] ?? '';
const gpshell = process.env['KAIKA_GPSHELL'] ?? '';

/** Each call starts a Java machine. */
const SLOW = { timeout: LIMIT };

let folder = '';
let cap = '';
let card: RunningCard;
beforeAll(writePackage);
afterEach(async () => {
  await card.stop();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(!here || gp === '')('GlobalPlatformPro (skipped where KAIKA_GP names none)', SLOW, () => {
  const command = gp.endsWith('.jar') ? ['java', '-jar', gp] : [gp];
  const run = async (...args: string[]) => {
    const { status, output, errors } = await runTool(card, [...command, '-r', READER, ...args]);
    expect(`${status} ${errors} ${output}`).toMatch(/^0 /);
    expect(errors).not.toMatch(/\[WARN\]|\[ERROR\]/);
    return output;
  };

  it.each([
    { profile: 'shop-scp02', modes: ['CLR', 'MAC', 'ENC'] },
    { profile: 'shop-scp03', modes: ['CLR', 'MAC', 'ENC'] },
    { profile: 'jcop-scp03', modes: ['CLR', 'MAC', 'ENC', 'RMAC', 'RENC'] },
    { profile: 'sim-scp02-15', modes: ['MAC', 'ENC'] },
    { profile: 'sim-scp02-55', modes: ['MAC', 'ENC'] },
    { profile: 'demo-scp02', modes: ['MAC', 'ENC'] },
    { profile: 'demo-scp03', modes: ['MAC', 'RENC'] },
  ])('$profile: looks, lists, loads, changes keys, deletes', async ({ profile, modes }) => {
    card = await startCard('--profile', profile, '--code', '6200000000000017', '--pcscd');
    expect(await run('--info')).toContain('45086200000000000017');
    await run('--install', cap);
    for (const mode of modes) {
      // R-MAC alone is no level of SCP03.
      const both = mode === 'RMAC' ? ['--mode', 'MAC'] : [];
      const list = await run('--list', '--mode', mode, ...both);
      expect(list).toContain(`APP: ${APPLET} (SELECTABLE)`);
      expect(list).toContain(`PKG: ${PACKAGE} (LOADED)`);
    }
    await run('--lock', NEW_KEY);
    expect(await run('--list', '--key', NEW_KEY)).toContain(APPLET);
    await run('--key', NEW_KEY, '--lock-applet', APPLET);
    expect(await run('--list', '--key', NEW_KEY)).toContain(`APP: ${APPLET} (LOCKED`);
    await run('--key', NEW_KEY, '--uninstall', cap);
    expect(await run('--list', '--key', NEW_KEY)).not.toContain(PACKAGE);
  });
});

describe.skipIf(!here || gpshell === '')('gpshell (skipped where KAIKA_GPSHELL names none)', SLOW, () => {
  const run = async (...lines: string[]) => {
    const script = join(folder, 'script.txt');
    const begin = ['mode_211', 'establish_context', 'card_connect -readerNumber 1'];
    await writeFile(script, `${[...begin, ...lines, 'card_disconnect', 'release_context'].join('\n')}\n`);
    const { status, output, errors } = await runTool(card, [gpshell, script]);
    expect(`${status} ${errors} ${output}`).toMatch(/^0 /);
    return output;
  };
  const keys = (key: string) => `-mac_key ${key} -enc_key ${key} -kek_key ${key}`;

  it.each([
    { profile: 'shop-scp02', scp: 2, i: 0x15, isd: 'A000000003000000', levels: [0x00, 0x01, 0x03] },
    {
      profile: 'shop-scp02',
      scp: 2,
      i: 0x75,
      isd: 'A000000003000000',
      levels: [0x00, 0x01, 0x03, 0x10, 0x11, 0x13],
    },
    { profile: 'sim-scp02-55', scp: 2, i: 0x55, isd: 'A000000151000000', levels: [0x01, 0x03] },
    { profile: 'shop-scp03', scp: 3, i: 0x10, isd: 'A000000151000000', levels: [0x00, 0x01, 0x03] },
    {
      profile: 'jcop-scp03',
      scp: 3,
      i: 0x70,
      isd: 'A000000151000000',
      levels: [0x00, 0x01, 0x03, 0x11, 0x13, 0x33],
    },
  ])('$profile, i = $i: loads and deletes at every level', async ({ profile, scp, i, isd, levels }) => {
    card = await startCard('--profile', profile, '--i', i.toString(16), '--pcscd');
    const open = (level: number, key: string) => [
      `select -AID ${isd}`,
      `open_sc -scp ${scp} -scpimpl ${i} -security ${level} -keyind 0 -keyver 0 ${keys(key)}`,
    ];
    for (const level of levels) {
      const output = await run(
        ...open(level, SHOP_KEY),
        `install -file ${cap} -sdAID ${isd} -nvCodeLimit 4000 -priv 2`,
        ...['80', '40', '20', '10'].map((element) => `get_status -element ${element}`),
        `delete -AID ${APPLET}`,
        `delete -AID ${PACKAGE}`,
      );
      expect(output.toUpperCase()).toContain(APPLET);
    }
    await run(...open(1, SHOP_KEY), `put_sc_key -keyver 0 -newkeyver 2 ${keys(NEW_KEY)}`);
    await run(
      `select -AID ${isd}`,
      `open_sc -scp ${scp} -scpimpl ${i} -security 1 -keyind 0 -keyver 2 ${keys(NEW_KEY)}`,
      'get_status -element 80',
    );
  });
});

async function writePackage(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'tools-'));
  cap = join(folder, 'small.cap');
  await writeFile(cap, archive(smallPackage(600)));
}

const READER = 'Virtual Reader A 00 00';

const SHOP_KEY = '404142434445464748494A4B4C4D4E4F';

const NEW_KEY = '101112131415161718191A1B1C1D1E1F';

/** What `smallPackage` is made of. */
const PACKAGE = '0102030405';

const APPLET = '0102030405060708';
