/** OpenSC's opensc-tool on every kind of card, through pcscd. */
import { afterEach, describe, expect, it } from 'vitest';
import { PROFILES } from '../../app/simulator/profiles.ts';
import { rigAvailability } from '../../app/simulator/rig/index.ts';
import { isInstalled, type RunningCard, runTool, startCard } from '../support/running-card.ts';

const here = (await rigAvailability()).available && isInstalled('opensc-tool');

describe.skipIf(!here)('opensc-tool (skipped without opensc or a pcscd of our own)', () => {
  let card: RunningCard;
  afterEach(async () => {
    await card.stop();
  });
  const openscTool = (...args: string[]) => runTool(card, ['opensc-tool', ...args]);

  it.each(CARDS)(
    'finds $profile at once, reads its ATR and speaks with it',
    async ({ profile, atr, isd }) => {
      card = await startCard('--profile', profile, '--pcscd');
      expect((await openscTool('--list-readers')).output).toMatch(/^0\s+Yes\s+Virtual Reader A 00 00$/m);
      expect((await openscTool('--atr')).output.trim()).toBe(atr);
      const { status, output } = await openscTool('-s', '00A4040000', '-s', '80CA9F7F00');
      expect(status).toBe(0);
      expect(output.match(/SW1=0x90, SW2=0x00/g)).toHaveLength(2);
      const bytes = [...output.matchAll(/^((?:[0-9A-F]{2} ){1,16})/gm)].map(([, line = '']) => line).join('');
      expect(bytes.replaceAll(' ', '')).toContain(`8408${isd}`);
      expect(bytes).toContain('9F 7F 2A ');
    },
  );

  it('finds the native card, which has no GlobalPlatform', async () => {
    card = await startCard('--profile', 'fmcos-native', '--pcscd');
    expect((await openscTool('--atr')).output.trim()).toBe('3b:69:00:00:4b:41:49:4e:41:54:49:56:45');
    const { output } = await openscTool('-s', '00A40000023F00', '-s', '80500000080102030405060708');
    expect(output).toMatch(/SW1=0x90, SW2=0x00.*SW1=0x6[DE], SW2=0x00/s);
  });

  it('sees the ATR that was asked for', async () => {
    card = await startCard('--profile', 'shop-scp03', '--atr', '3B 80 80 01 01', '--pcscd');
    expect((await openscTool('--atr')).output.trim()).toBe('3b:80:80:01:01');
  });

  it('is told of every profile there is', () => {
    expect([...CARDS.map(({ profile }) => profile), 'fmcos-native'].sort()).toEqual(
      Object.keys(PROFILES).sort(),
    );
  });
});

/** What ISO/IEC 7816-3 and the profiles' own data say of each card. */
const CARDS = [
  { profile: 'demo-scp03', atr: '3b:85:01:4b:41:49:4b:41:cd', isd: 'A000000151000000' },
  { profile: 'demo-scp02', atr: '3b:85:01:4b:41:49:4b:32:be', isd: 'A000000151000000' },
  { profile: 'shop-scp02', atr: '3b:88:01:4b:41:49:53:48:4f:50:32:fc', isd: 'A000000003000000' },
  { profile: 'shop-scp03', atr: '3b:88:01:4b:41:49:53:48:4f:50:33:fd', isd: 'A000000151000000' },
  { profile: 'jcop-scp03', atr: '3b:88:01:4b:41:49:4a:43:4f:50:34:e8', isd: 'A000000151000000' },
  { profile: 'sim-scp02-15', atr: '3b:98:96:80:1f:c7:4b:41:49:53:49:4d:31:35:46', isd: 'A000000151000000' },
  { profile: 'sim-scp02-55', atr: '3b:98:96:80:1f:c7:4b:41:49:53:49:4d:35:35:42', isd: 'A000000151000000' },
] as const;
