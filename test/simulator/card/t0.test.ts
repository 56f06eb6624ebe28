/** A card whose ATR offers T=0 only (ISO/IEC 7816-3 §12.2). */
import { describe, expect, it } from 'vitest';
import type { Answer } from './host.ts';
import { CODE, capFile, install, installForLoad, loadBlocks, openChannel, send, sendAll } from './host.ts';
import { DEFAULT_KEYS, shopCard } from './shop-fixtures.ts';

describe('T=0', () => {
  const raw = async (command: string, device = shopCard('sim-scp02-15')): Promise<Answer> =>
    send(device, command);

  it('answers a command with data by 61xx, and gives the data to GET RESPONSE', async () => {
    const device = shopCard('sim-scp02-15');
    const first = await raw('80500000080102030405060708', device);
    expect(first).toEqual({ data: '', sw: '611C' });
    const fetched = await raw('00C000001C', device);
    expect(fetched.sw).toBe('9000');
    expect(fetched.data).toMatch(/^0000620012345678901220020000/);
    expect((await raw('00C000001C', device)).sw).toBe('6985');
  });

  it('SELECT without data too, since its P3 is a length of data', async () => {
    const device = shopCard('sim-scp02-15');
    expect((await raw('00A4040000', device)).sw).toBe('6143');
    expect((await raw('00C0000043', device)).data).toMatch(/^6F418408A000000151000000/);
  });

  it('gives what is asked for piece by piece, and the right length when too much is asked for', async () => {
    const device = shopCard('sim-scp02-15');
    await raw('80500000080102030405060708', device);
    expect((await raw('00C00000FF', device)).sw).toBe('6C1C');
    expect((await raw('00C0000000', device)).sw).toBe('6C1C');
    const first = await raw('00C000000A', device);
    expect([first.data, first.sw]).toEqual([`0000${CODE}`, '6112']);
    expect((await raw('00C0000012', device)).sw).toBe('9000');
  });

  it('any other command ends the waiting', async () => {
    const device = shopCard('sim-scp02-15');
    await raw('00A4040000', device);
    await raw('80CA00450A', device);
    expect((await raw('00C0000043', device)).sw).toBe('6985');
    await raw('00A4040000', device);
    device.reset();
    expect((await raw('00C0000043', device)).sw).toBe('6985');
  });

  it('a wrong Le: 6Cxx, and repeated the same answer, not another one', async () => {
    const device = shopCard('sim-scp02-15');
    expect((await raw('80CA004500', device)).sw).toBe('6C0A');
    expect(await raw('80CA00450A', device)).toEqual({ data: `4508${CODE}`, sw: '9000' });
    expect((await raw('80CA00450C', device)).sw).toBe('6C0A');
    const part = await raw('80CA004504', device);
    expect(part.sw).toBe('6C0A');
  });

  it('errors and answers without data are as ever', async () => {
    expect((await raw('80CA123400')).sw).toBe('6A88');
    expect((await raw('80E60C00020000')).sw).toBe('6982');
    expect((await raw('00C0000000')).sw).toBe('6985');
  });

  it.each([
    ['sim-scp02-15', 0x03],
    ['sim-scp02-55', 0x01],
  ] as const)('%s: a session, a load and a listing at level %i', async (profile, level) => {
    const device = fetching(shopCard(profile));
    const channel = await openChannel(device, DEFAULT_KEYS, { level });
    const file = capFile(PACKAGE, ['D276000085010001'], 900);
    expect(await sendAll(channel, [installForLoad(PACKAGE, 'EF04C6020400'), ...loadBlocks(file)])).toBe(
      '9000',
    );
    expect((await channel.send('80F22002024F0000')).data).toContain(PACKAGE);
  });

  it('a list longer than one answer comes in parts, each fetched before the next', async () => {
    const device = fetching(shopCard('sim-scp02-15'));
    const channel = await openChannel(device, DEFAULT_KEYS);
    await sendAll(channel, [installForLoad(PACKAGE), ...loadBlocks(capFile(PACKAGE, ['D276000085010001']))]);
    const aids = Array.from({ length: 12 }, (_, i) => `D2760000850102${i.toString(16).padStart(2, '0')}`);
    for (const aid of aids) await channel.send(install(0x0c, PACKAGE, 'D276000085010001', aid));
    const parts = [await channel.send('80F24002024F0000')];
    while (parts.at(-1)?.sw === '6310') parts.push(await channel.send('80F24003024F0000'));
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.at(-1)?.sw).toBe('9000');
    const listed = parts.flatMap(({ data }) => [...data.matchAll(/4F08((?:[0-9A-F]{2}){8})9F70/g)]);
    expect(listed.map(([, aid]) => aid)).toEqual(aids.map((aid) => aid.toUpperCase()));
  });

  it('nothing slips between GET CHALLENGE and its use', async () => {
    const { NativeCard } = await import('../../../app/simulator/native/native-card.ts');
    const { makeShopCard } = await import('../../../app/simulator/shop.ts');
    const image = makeShopCard({ profile: 'fmcos-native', identificationCode: CODE });
    if (image.format === 1) throw new TypeError('GlobalPlatform');
    const device = new NativeCard(image);
    device.powerOn();
    expect((await send(device, '0084000004')).sw).toBe('9000');
    expect((await send(device, `0082000008${'00'.repeat(8)}`)).sw).toBe('63C2');
    await send(device, '0084000004');
    await send(device, '00B085000A');
    expect((await send(device, `0082000008${'00'.repeat(8)}`)).sw).toBe('6985');
  });
});

const PACKAGE = 'D2760000850100';

/** A host's T=0 transport: fetches with GET RESPONSE, repeats with the right length. */
function fetching(device: ReturnType<typeof shopCard>) {
  return {
    atr: device.atr,
    powerOn: () => device.powerOn(),
    powerOff: () => device.powerOff(),
    reset: () => device.reset(),
    async transmit(command: Uint8Array): Promise<Uint8Array> {
      let answer = await device.transmit(command);
      if (answer[0] === 0x6c) {
        answer = await device.transmit(Uint8Array.of(...command.slice(0, 4), answer[1] ?? 0));
      }
      const data: number[] = [];
      while (answer.length >= 2 && answer.at(-2) === 0x61) {
        data.push(...answer.slice(0, -2));
        answer = await device.transmit(Uint8Array.of(0x00, 0xc0, 0x00, 0x00, answer.at(-1) ?? 0));
      }
      return Uint8Array.of(...data, ...answer);
    },
  };
}
