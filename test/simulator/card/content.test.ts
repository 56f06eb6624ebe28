/** Loading, installing, listing and deleting; and the memory it takes. */
import { describe, expect, it } from 'vitest';
import { card, isdKeys, MEAL, MEAL_PACKAGE, WALLET } from './fixtures.ts';
import type { Opened, VirtualCard } from './host.ts';
import { capFile, install, installForLoad, loadBlocks, openChannel, remove, send, sendAll } from './host.ts';

describe.each([
  ['demo-scp02', 0x03],
  ['demo-scp03', 0x33],
] as const)('%s', (type, level) => {
  it('loads and installs a missing app, which lives with the card’s own transport keys', async () => {
    const { device, channel } = await opened({ type }, level);
    const file = capFile(MEAL_PACKAGE, [MEAL], 3000);
    const steps = [
      installForLoad(MEAL_PACKAGE, 'EF04C6020BB8'),
      ...loadBlocks(file),
      install(0x0c, MEAL_PACKAGE, MEAL, MEAL),
    ];
    expect(await sendAll(channel, steps)).toBe('9000');
    expect(await free(device)).toBe(80_000 - file.length - 2048);
    expect((await send(device, `00A4040009${MEAL}00`)).sw).toBe('9000');
    expect((await send(device, '00B095001E')).data).toBe(`4B41494B410000000001${'00'.repeat(20)}`);
    expect((await send(device, '805C000204')).sw).toBe('6D00');
    const app = device.image.instances.find(({ aid }) => aid === MEAL)?.applet;
    const transport = device.image.transport[MEAL_PACKAGE];
    expect(app?.kind === 'fmcos' && app.keys.map(({ value, counter }) => [value, counter])).toEqual([
      [transport?.mck, 0x33],
      [transport?.mtk, 0x33],
    ]);
  });

  it('deletes an instance, a package, and a package with its instances; memory comes back', async () => {
    const { device, channel } = await opened({ type, packageBytes: 5000 }, level);
    expect((await channel.send(remove('F04B41494B410100'))).sw).toBe('6985');
    expect((await channel.send(remove(WALLET))).sw).toBe('9000');
    expect((await channel.send(remove('F04B41494B410100'))).sw).toBe('9000');
    expect((await channel.send(remove('F04B41494B410100'))).sw).toBe('6A88');
    expect((await channel.send(remove('F04B41494B410200', 0x80))).sw).toBe('9000');
    expect((await channel.send(remove('A000000151000000'))).sw).toBe('6985');
    expect((await channel.send('80E40100074F05F00000000100')).sw).toBe('6A86');
    expect(await free(device)).toBe(80_000 + 2 * 7048);
    expect((await send(device, `00A4040009${WALLET}00`)).sw).toBe('6A82');
  });
});

describe('LOAD', () => {
  it.each(['81C0', '8200C0', '830000C0', '84000000C0'])('takes the length as %s', async (length) => {
    const { channel } = await opened();
    const file = capFile(OTHER, [OTHER_APPLET], 0xc0 - capFile(OTHER, [OTHER_APPLET], 0).length);
    expect(file.length).toBe(0xc0);
    expect((await channel.send(installForLoad(OTHER, '', ''))).sw).toBe('9000');
    expect(await sendAll(channel, loadBlocks(file, { length, block: 61 }))).toBe('9000');
  });

  it('refuses a signature by a domain that is not there', async () => {
    const { device, channel } = await opened();
    const file = capFile(OTHER, [OTHER_APPLET], 0);
    const body = `E20C4F07D2760000850199C30100C4${file.length.toString(16)}${Buffer.from(file).toString('hex')}`;
    await channel.send(installForLoad(OTHER));
    const block = `80E88000${(body.length / 2).toString(16)}${body}`;
    expect((await channel.send(block)).sw).toBe('6985');
    expect(device.image.packages).toHaveLength(3);
  });

  it('loads 256 blocks and not one more', async () => {
    const load = async (bytes: number) => {
      const { device, channel } = await opened({}, 0x00);
      const overhead = capFile(OTHER, [OTHER_APPLET], 0).length;
      const file = capFile(OTHER, [OTHER_APPLET], bytes - overhead);
      await channel.send(installForLoad(OTHER));
      const sw = await sendAll(channel, loadBlocks(file, { block: 20 }));
      return { sw, loaded: device.image.packages.length - 3 };
    };
    expect(await load(256 * 20 - 4)).toEqual({ sw: '9000', loaded: 1 });
    expect(await load(256 * 20 - 3)).toEqual({ sw: '6A86', loaded: 0 });
  });

  const broken: [string, (blocks: string[]) => string[], string][] = [
    ['a block left out', (blocks) => blocks.filter((_, i) => i !== 1), '6A86'],
    ['a block twice', (blocks) => [blocks[0] ?? '', ...blocks], '6A86'],
    [
      'the last block missing',
      (blocks) =>
        blocks.slice(0, -1).map((b, i, all) => (i === all.length - 1 ? b.replace('80E800', '80E880') : b)),
      '6A80',
    ],
    ['no C4', (blocks) => blocks.map((b) => b.replace('C4', 'C5')), '6A80'],
    ['wrong P1', (blocks) => blocks.map((b) => b.replace('80E800', '80E801')), '6A86'],
  ];
  it.each(broken)('%s: refused, the load is over and memory as before', async (_name, spoil, expected) => {
    const { device, channel } = await opened();
    await channel.send(installForLoad(OTHER));
    const blocks = loadBlocks(capFile(OTHER, [OTHER_APPLET]));
    expect(await sendAll(channel, spoil(blocks))).toBe(expected);
    expect((await channel.send(blocks[2] ?? '')).sw).toBe('6985');
    expect(device.image.packages).toHaveLength(3);
    expect(await free(device)).toBe(80_000);
  });

  it.each([
    ['another package', capFile('D2760000850199', [OTHER_APPLET])],
    ['no CAP file', new Uint8Array(300).fill(7)],
    ['a component cut short', capFile(OTHER, [OTHER_APPLET]).slice(0, -1)],
    ...DAMAGES.map(
      ([name, spoil]) => [name, capFile(OTHER, [OTHER_APPLET], 40, spoil)] as [string, Uint8Array],
    ),
  ])('%s inside: 6A80', async (_name, file) => {
    const { device, channel } = await opened();
    await channel.send(installForLoad(OTHER));
    expect(await sendAll(channel, loadBlocks(file))).toBe('6A80');
    expect(await free(device)).toBe(80_000);
  });

  it('leaves a vendor’s own component out', async () => {
    const { device, channel } = await opened();
    await channel.send(installForLoad(OTHER));
    const file = capFile(OTHER, [OTHER_APPLET], 40, (all) => all.set(0xdb, 'CAFE'));
    expect(await sendAll(channel, loadBlocks(file))).toBe('9000');
    expect(device.image.packages.at(-1)?.modules).toEqual([OTHER_APPLET]);
  });

  it.each([
    ['reset', async (device: VirtualCard) => device.reset()],
    ['loss of power', async (device: VirtualCard) => [device.powerOff(), device.powerOn()]],
    ['SELECT', async (device: VirtualCard) => send(device, '00A4040000')],
    ['GET DATA', async (_device: VirtualCard, channel: Opened) => channel.send('80CA004500')],
    [
      'another INSTALL',
      async (_device: VirtualCard, channel: Opened) => channel.send(installForLoad('D2760000850177')),
    ],
    ['a malformed command', async (device: VirtualCard) => send(device, '80E8')],
  ])('%s ends a load; nothing of it stays', async (_name, interrupt) => {
    const { device, channel } = await opened();
    const blocks = loadBlocks(capFile(OTHER, [OTHER_APPLET]));
    await channel.send(installForLoad(OTHER));
    expect((await channel.send(blocks[0] ?? '')).sw).toBe('9000');
    await interrupt(device, channel);
    expect((await channel.send(blocks[1] ?? '')).sw).not.toBe('9000');
    expect(await free(device)).toBe(80_000);
    const again = await openChannel(device, isdKeys(device.image));
    await again.send(installForLoad(OTHER));
    expect(await sendAll(again, blocks)).toBe('9000');
  });

  it('without INSTALL: 6985', async () => {
    const { channel } = await opened();
    expect((await channel.send('80E80000020102')).sw).toBe('6985');
  });
});

describe('memory', () => {
  const file = capFile(OTHER, [OTHER_APPLET], 3000);

  it('6A84 in the middle of a load that does not fit; what fits to the byte loads', async () => {
    for (const [memory, expected] of [
      [file.length - 1, '6A84'],
      [file.length, '9000'],
    ] as const) {
      const { device, channel } = await opened({ memory });
      await channel.send(installForLoad(OTHER));
      expect(await sendAll(channel, loadBlocks(file))).toBe(expected);
      expect(await free(device)).toBe(expected === '9000' ? 0 : memory);
    }
  });

  it('6A84 at once when the declared need is too much', async () => {
    const { channel } = await opened({ memory: 2999 });
    expect((await channel.send(installForLoad(OTHER, 'EF04C6020BB8'))).sw).toBe('6A84');
  });

  it('6A84 for an instance that does not fit; the package stays', async () => {
    const { device, channel } = await opened({ memory: file.length + 2047 });
    await channel.send(installForLoad(OTHER));
    await sendAll(channel, loadBlocks(file));
    expect((await channel.send(install(0x0c, OTHER, OTHER_APPLET, OTHER_APPLET))).sw).toBe('6A84');
    expect(await free(device)).toBe(2047);
  });
});

describe('INSTALL', () => {
  const loaded = async () => {
    const both = await opened();
    await both.channel.send(installForLoad(OTHER));
    await sendAll(both.channel, loadBlocks(capFile(OTHER, [OTHER_APPLET])));
    return both;
  };

  it('gives any other package a plain applet', async () => {
    const { device, channel } = await loaded();
    expect((await channel.send(install(0x0c, OTHER, OTHER_APPLET, 'D27600008501AA', '000000'))).sw).toBe(
      '9000',
    );
    expect(await send(device, '00A4040007D27600008501AA')).toEqual({ data: '', sw: '9000' });
    for (const command of ['00B0000000', '80CA9F7F00', '0084000008'])
      expect((await send(device, command)).sw).toBe('6D00');
  });

  it('in two steps: selectable only after the second', async () => {
    const { device, channel } = await loaded();
    expect((await channel.send(install(0x04, OTHER, OTHER_APPLET, ''))).sw).toBe('9000');
    expect((await send(device, `00A4040008${OTHER_APPLET}`)).sw).toBe('6A82');
    expect((await channel.send(install(0x08, '', '', OTHER_APPLET, '', ''))).sw).toBe('9000');
    expect((await channel.send(install(0x08, '', '', OTHER_APPLET))).sw).toBe('6985');
    expect((await send(device, `00A4040008${OTHER_APPLET}`)).sw).toBe('9000');
  });

  it.each([
    ['unknown package', install(0x0c, 'D2760000850155', OTHER_APPLET, OTHER_APPLET), '6A88'],
    ['unknown module', install(0x0c, OTHER, 'D276000085010099', OTHER_APPLET), '6A88'],
    ['AID taken', install(0x0c, OTHER, OTHER_APPLET, WALLET), '6985'],
    ['the domain’s AID', install(0x0c, OTHER, OTHER_APPLET, 'A000000151000000'), '6985'],
    ['no C9', install(0x0c, OTHER, OTHER_APPLET, OTHER_APPLET, '00', ''), '6A80'],
    ['two bytes of privileges', install(0x0c, OTHER, OTHER_APPLET, OTHER_APPLET, '0000'), '6A80'],
    ['unknown P1', install(0x21, OTHER, OTHER_APPLET, OTHER_APPLET), '6A86'],
    ['make selectable what is not there', install(0x08, '', '', 'D276000085010099'), '6A88'],
    ['load what is there', installForLoad(OTHER), '6985'],
    ['load into an unknown domain', installForLoad('D2760000850155', '', 'A0000001510000AA'), '6A88'],
    ['fields that do not add up', '80E60C0003F0F0F000', '6A80'],
  ])('%s', async (_name, command, expected) => {
    const { channel } = await loaded();
    expect((await channel.send(command)).sw).toBe(expected);
  });
});

const OTHER = 'D2760000850100';
const OTHER_APPLET = 'D276000085010001';

type Spoil = (components: Map<number, string>) => void;

/** Load files that no card can link: a component missing, or saying what another one denies (Java Card VM specification §6). */
const DAMAGES: readonly (readonly [string, Spoil])[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map(
    (tag) => [`no component ${tag}`, (all: Map<number, string>) => all.delete(tag)] as const,
  ),
  ['an export that is not there', (all) => all.set(1, (all.get(1) ?? '').replace(/^(.{12})04/, '$106'))],
  ['another size than its directory says', (all) => all.set(7, `${all.get(7) ?? ''}A5`)],
  ['a component its directory does not know', (all) => all.set(10, '00')],
  ['more imports than its directory says', (all) => all.set(4, '01000107A0000000620001')],
  ['an applet without its offset', (all) => all.set(3, (all.get(3) ?? '').slice(0, -4))],
  ['a component of no kind', (all) => all.set(14, '')],
  ['a format nobody knows', (all) => all.set(1, (all.get(1) ?? '').replace('DECAFFED01', 'DECAFFED09'))],
];

async function free(device: VirtualCard): Promise<number> {
  device.reset();
  const { data } = await send(device, '80CAFF2100');
  return Number.parseInt(/8204([0-9A-F]{8})/.exec(data)?.[1] ?? '', 16);
}

async function opened(
  spec: Parameters<typeof card>[0] = {},
  level = 0x01,
): Promise<{ device: VirtualCard; channel: Opened }> {
  const device = card(spec);
  return { device, channel: await openChannel(device, isdKeys(device.image), { level }) };
}
