/** Sessions that broke off, and commands in several pieces. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_KEYS, installForLoad, openChannel, openedShopCard, send } from './host.ts';

describe('a session that broke off (GPC 2.3.1 §10.2.3, §E.1.6, Amendment D §5.6)', () => {
  it.each(['shop-scp02', 'shop-scp03'] as const)(
    '%s: everything is refused until the session is ended',
    async (profile) => {
      const { device, channel } = await openedShopCard(profile);
      expect((await channel.send(LIST)).sw).toBe('9000');
      expect((await send(device, LIST)).sw).toBe('6982');
      for (const command of [LIST, '80CA004500', '80F0800F']) {
        expect((await send(device, command)).sw).toBe('6982');
        expect((await channel.send(command)).sw).toBe('6982');
      }
      await send(device, '00A4040000');
      expect((await send(device, '80CA004500')).sw).toBe('9000');
      expect((await (await openChannel(device, DEFAULT_KEYS)).send(LIST)).sw).toBe('9000');
    },
  );

  it('a new INITIALIZE UPDATE ends it too, and a SELECT that finds nothing does not', async () => {
    const { device } = await openedShopCard();
    await send(device, LIST);
    await send(device, '00A4040007D276000085010000');
    expect((await send(device, '80CA004500')).sw).toBe('6982');
    expect((await openChannel(device, DEFAULT_KEYS)).initializeUpdate).not.toBe('');
  });
});

describe('commands in pieces (§11.1.5.1)', () => {
  const opened = () => openedShopCard('shop-scp03', { level: 0x03 });
  /** The first part of an INSTALL [for load], and the rest, as level 00 sends them. */
  const pieces = () => {
    const whole = Buffer.from(installForLoad('D2760000850100').slice(10, -2), 'hex');
    const piece = (p1: number, data: Buffer) =>
      Buffer.concat([Buffer.of(0x80, 0xe6, p1, 0x00, data.length), data]).toString('hex');
    return [piece(0x82, whole.subarray(0, 9)), piece(0x02, whole.subarray(9))] as const;
  };

  it('are one command', async () => {
    const { device, channel } = await openedShopCard('shop-scp03', { level: 0x00 });
    const [first, rest] = pieces();
    expect(await channel.send(first)).toEqual({ data: '', sw: '9000' });
    expect(await channel.send(rest)).toEqual({ data: '00', sw: '9000' });
    expect((await channel.send('80E88000021122')).sw).toBe('6A80');
    expect(device.image.packages).toHaveLength(1);
  });

  it('are protected as one command, its MAC at the end', async () => {
    const { device, channel } = await opened();
    const command = channel.wrap(installForLoad('D2760000850100'));
    const data = command.subarray(5, -1);
    const part = (p1: number, bytes: Buffer) =>
      Buffer.concat([Buffer.of(0x84, 0xe6, p1, 0x00, bytes.length), bytes]).toString('hex');
    expect((await send(device, part(0x82, data.subarray(0, 20)))).sw).toBe('9000');
    expect((await send(device, part(0x02, data.subarray(20)))).sw).toBe('9000');
    expect((await channel.send(LIST)).sw).toBe('9000');
  });

  it('broken by another command: 6985, and the chain is forgotten', async () => {
    const { channel } = await openedShopCard('shop-scp03', { level: 0x00 });
    const [first, rest] = pieces();
    await channel.send(first);
    expect((await channel.send(LIST)).sw).toBe('6985');
    expect((await channel.send(rest)).sw).toBe('6A80');
    expect((await channel.send(LIST)).sw).toBe('9000');
  });

  it('too long: 6A86', async () => {
    const { channel } = await openedShopCard('shop-scp03', { level: 0x00 });
    const piece = `80D88001FF${'00'.repeat(255)}`;
    for (let i = 0; i < 4; i += 1) expect((await channel.send(piece)).sw).toBe('9000');
    expect((await channel.send(piece)).sw).toBe('6A86');
  });
});

const LIST = '80F22002024F0000';
