/** The native FMCOS card: a master file and applications, no GlobalPlatform. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { FaultyDevice } from '../../../app/simulator/fault.ts';
import { NativeCard } from '../../../app/simulator/native/native-card.ts';
import { type NativeImage, nativeImageSchema } from '../../../app/simulator/native/native-image.ts';
import { SHOP_KEY } from '../../../app/simulator/profiles.ts';
import { makeShopCard } from '../../../app/simulator/shop.ts';
import { authenticate, CODE, record, send, TearingDevice, update, WALLET, writeKey } from '../card/host.ts';

let device: NativeCard;
beforeEach(powerOn);

describe('SELECT', () => {
  it.each([
    ['the master file by id', '00A40000023F00'],
    ['the master file by nothing', '00A4000000'],
    ['the master file by name', `00A404000E${MASTER}00`],
    ['the parent', '00A4030000'],
  ])('%s', async (_name, command) => {
    await send(device, `00A4040009${WALLET}00`);
    expect(await send(device, command)).toEqual({ data: `6F15840E${MASTER}A503880105`, sw: '9000' });
    expect((await send(device, '00B0850000')).data).toBe(`4B41494B41000000${CODE}`);
  });

  it.each([
    ['DF01', WALLET],
    ['DF02', 'F04B41494B41020001'],
    ['DF03', 'F04B41494B41030001'],
    ['DF04', 'F04B41494B41040001'],
  ])('the application %s by id, whole name and part of it', async (fileId, name) => {
    const expected = { data: `6F108409${name}A503880115`, sw: '9000' };
    expect(await send(device, `00A4000002${fileId}`)).toEqual(expected);
    expect(await send(device, `00A4040009${name}00`)).toEqual(expected);
    expect(await send(device, `00A4040008${name.slice(0, 16)}`)).toEqual(expected);
  });

  it.each([
    ['00A4040008A00000015100000000', '6A82'],
    ['00A4040000', '6700'],
    ['00A4000002DF09', '6A82'],
    ['00A4020002DF01', '6A82'],
    ['00A4000003DF0100', '6700'],
    ['00A4040209F04B41494B41010001', '6A86'],
    ['00A4050000', '6A86'],
    ['00A40300023F00', '6700'],
  ])('%s: %s, and the current directory stays', async (command, expected) => {
    await send(device, `00A4040009${WALLET}00`);
    expect((await send(device, command)).sw).toBe(expected);
    expect((await send(device, '805C000204')).sw).toBe('9000');
  });

  it('a file of the directory, read and written without naming it again', async () => {
    expect((await send(device, '00B0000004')).sw).toBe('6986');
    expect((await send(device, '00A40200020005')).sw).toBe('9000');
    expect((await send(device, '00B0000808')).data).toBe(CODE);
    await send(device, `00A4040009${WALLET}00`);
    expect((await send(device, '00B0000008')).sw).toBe('6986');
    expect((await send(device, '00A40000020015')).sw).toBe('9000');
    expect((await send(device, '00B0000008')).data).toBe('4B41494B41000000');
  });
});

describe('without GlobalPlatform', () => {
  it.each([
    ['80CA9F7F00', '6D00'],
    ['80500000080102030405060708', '6D00'],
    ['80F24000024F0000', '6D00'],
    ['84820100100102030405060708090A0B0C0D0E0F10', '6E00'],
    ['80E60C000100', '6D00'],
    ['90CA004500', '6E00'],
    ['80', '6700'],
    ['00B085000000000000', '6700'],
  ])('%s: %s', async (command, expected) => {
    expect((await send(device, command)).sw).toBe(expected);
  });
});

describe('an application', () => {
  it('is enabled as on any other card', async () => {
    await send(device, '00A4000002DF01');
    expect(await authenticate(device, KEY)).toBe('9000');
    expect(await writeKey(device, KEY, 0x36, record(0xf6, NEW_MTK))).toBe('9000');
    expect(await writeKey(device, KEY, 0x39, record(0xf9, NEW_MCK))).toBe('9000');
    expect(await update(device, NEW_MTK, 8, '01')).toBe('9000');
    device.reset();
    await send(device, `00A4040009${WALLET}00`);
    expect((await send(device, '00B0950801')).data).toBe('01');
    expect(await authenticate(device, KEY)).toBe('63C2');
    expect(await authenticate(device, NEW_MCK)).toBe('9000');
    // The other applications kept theirs.
    await send(device, '00A4000002DF02');
    expect(await authenticate(device, KEY)).toBe('9000');
  });

  it('loses its security state when another is selected', async () => {
    await send(device, '00A4000002DF01');
    await authenticate(device, KEY);
    await send(device, '00A4000002DF02');
    await send(device, '00A4000002DF01');
    expect(await writeKey(device, KEY, 0x36, record(0xf6, NEW_MTK))).toBe('6982');
  });

  it('a key torn on a card whose WRITE KEY is not atomic is damaged, and that one only', async () => {
    const fragile = image();
    for (const { state } of fragile.directories) state.keyWriteAtomic = false;
    const card = new NativeCard(fragile);
    const tearing: FaultyDevice = new TearingDevice(card, { at: 1, ins: 0xd4, when: 'during' });
    tearing.powerOn();
    await send(tearing, '00A4000002DF01');
    await authenticate(tearing, KEY);
    await expect(writeKey(tearing, KEY, 0x36, record(0xf6, NEW_MTK))).rejects.toThrow();
    const damaged = card.image.directories.map(({ state }) => state.keys.map((key) => key.damaged));
    expect(damaged[1]).toEqual([false, true]);
    expect(damaged.filter((_, i) => i !== 1).flat()).toEqual(Array(8).fill(false));
  });
});

describe('anything may be sent', () => {
  const byte = fc.oneof(
    fc.constantFrom(0x00, 0x80, 0x84, 0x04, 0xa4, 0xb0, 0xd6, 0xd4, 0x82, 0x5c, 0x95),
    fc.integer({ min: 0, max: 255 }),
  );
  const command = fc
    .tuple(fc.tuple(byte, byte, byte, byte), fc.uint8Array({ maxLength: 40 }), fc.boolean())
    .map(([header, data, le]) =>
      Uint8Array.from([...header, ...(data.length > 0 ? [data.length, ...data] : []), ...(le ? [0] : [])]),
    );
  it.each(['3B80', '3B6900004B41494E4154495645'])('and is answered, ATR %s', async (start) => {
    const atr = start === '3B80' ? image().atr : start;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(command, fc.uint8Array({ maxLength: 12 })), { maxLength: 10 }),
        async (all) => {
          const card = new NativeCard({ ...image(), atr });
          card.powerOn();
          await send(card, '00A4000002DF01');
          for (const one of all) {
            const answer = await card.transmit(one);
            expect(answer.length).toBeGreaterThanOrEqual(2);
            expect(answer.at(-2)).not.toBe(0x6f);
            nativeImageSchema.parse(card.image);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

function powerOn(): void {
  device = new NativeCard(image());
  device.powerOn();
}

const MASTER = '315041592E5359532E4444463031';

const KEY = Buffer.from(SHOP_KEY, 'hex');

const NEW_MCK = Buffer.alloc(16, 0xa1);

const NEW_MTK = Buffer.alloc(16, 0xb2);

function image(): NativeImage {
  // With an ATR that offers T=1, so that answers come at once.
  const made = makeShopCard({
    profile: 'fmcos-native',
    identificationCode: CODE,
    atr: '3B800181',
  });
  if (made.format === 1) throw new TypeError('GlobalPlatform');
  return made;
}
