/** The cards of the profiles. */
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../app/card/bytes.ts';
import { isProfileName, PROFILES, type ProfileName, SHOP_KEY } from '../../../app/simulator/profiles.ts';
import { type CardOrder, makeShopCard, OrderError } from '../../../app/simulator/shop.ts';
import { CODE, DEFAULT_KEYS, install, openChannel, send, shopImage, VirtualCard } from './host.ts';

const names = Object.keys(PROFILES).filter(isProfileName);
const gp = names.filter((name) => PROFILES[name].kind !== 'native');

describe.each(gp)('%s', (profile) => {
  it('opens under the keys that every tool knows', async () => {
    const device = powered(profile);
    const channel = await openChannel(client(device), DEFAULT_KEYS, { level: 0x03 });
    const { scp, i } = device.image.domain.protocol;
    const listed = await channel.send('80F28002024F0000');
    expect(listed.sw).toBe('9000');
    expect((await channel.send('80CA006600')).data).toContain(
      `2A864886FC6B04${scp}${i.toString(16).padStart(2, '0').toUpperCase()}`,
    );
    const version = channel.initializeUpdate.slice(20, 22);
    await expect(openChannel(client(powered(profile)), DEFAULT_KEYS, { version: 0x7e })).rejects.toThrow(
      '6A88',
    );
    await openChannel(client(powered(profile)), DEFAULT_KEYS, { version: Number.parseInt(version, 16) });
  });
});

describe('orders', () => {
  it('take protocol, option, key version, ATR, memory and keys', async () => {
    const keys = { enc: '11'.repeat(16), mac: '22'.repeat(16), dek: '33'.repeat(16) };
    const device = powered('shop-scp03', {
      scp: '02',
      i: 0x45,
      keyVersion: 0x21,
      atr: '3B00',
      memory: 5000,
      keys,
    });
    const bytes = { enc: fromHex(keys.enc), mac: fromHex(keys.mac), dek: fromHex(keys.dek) };
    const channel = await openChannel(client(device), bytes, { level: 0x03, icv: false });
    expect(channel.initializeUpdate.slice(20, 24)).toBe('2102');
    expect(await channel.send('80CAFF2100')).toEqual({
      data: expect.stringContaining('820400001388'),
      sw: '9000',
    });
    expect(device.atr).toEqual(Uint8Array.of(0x3b, 0x00));
  });

  it('another protocol brings its usual option', () => {
    expect(shopImage('shop-scp03', { scp: '02' }).domain.protocol).toEqual({ scp: '02', i: 0x15 });
    expect(shopImage('sim-scp02-15', { scp: '03' }).domain.protocol).toEqual({ scp: '03', i: 0x70 });
    expect(shopImage('demo-scp02', { i: 0x15 }).domain.protocol).toEqual({ scp: '02', i: 0x15 });
  });

  it('of a demo card keep the data sheet, with known keys in its apps', () => {
    const image = shopImage('demo-scp03', { memory: 7000 });
    expect(image.instances.map(({ applet }) => applet.kind)).toEqual(['fmcos', 'fmcos', 'fmcos']);
    for (const { applet } of image.instances)
      expect(applet).toMatchObject({ keys: [{ value: SHOP_KEY }, { value: SHOP_KEY }] });
    expect(Object.values(image.transport)).toHaveLength(4);
  });

  it.each<[string, ProfileName, Partial<CardOrder>, string]>([
    ['an option nobody has', 'shop-scp02', { i: 0x1a }, 'This card has no SCP02 with i=1A'],
    ['R-ENCRYPTION without R-MAC', 'shop-scp03', { i: 0x40 }, 'This card has no SCP03 with i=40'],
    [
      'long keys for SCP02',
      'shop-scp02',
      { keys: { enc: 'AA'.repeat(32), mac: 'AA'.repeat(32), dek: 'AA'.repeat(32) } },
      'SCP02 takes keys of 16 bytes.',
    ],
    [
      'keys of several lengths',
      'shop-scp03',
      { keys: { enc: 'AA'.repeat(32), mac: 'AA'.repeat(16), dek: 'AA'.repeat(16) } },
      'The three keys have one length.',
    ],
    ['a broken ATR', 'shop-scp03', { atr: '3B85' }, 'The ATR ends within its interface bytes.'],
    ['a secure channel without GlobalPlatform', 'fmcos-native', { scp: '03' }, 'no secure channel'],
  ])('%s: %s', (_name, profile, order, sentence) => {
    expect(() => makeShopCard({ profile, identificationCode: CODE, ...order })).toThrow(OrderError);
    expect(() => makeShopCard({ profile, identificationCode: CODE, ...order })).toThrow(sentence);
  });
});

describe('an older card (2.1.1)', () => {
  it('has the older status words of PUT KEY, and says its version', async () => {
    const device = powered('shop-scp02');
    expect((await send(device, '80CA006600')).data).toContain('2A864886FC6B02020101');
    const channel = await openChannel(device, DEFAULT_KEYS);
    const field = (type: string, check: string) =>
      `80D8000117 40${type}10${'00'.repeat(16)}03${check}`.replace(' ', '');
    expect((await channel.send(field('80', '000000'))).sw).toBe('9485');
    expect((await channel.send(field('90', '000000'))).sw).toBe('9484');
  });

  it('does not know what later specifications brought', async () => {
    const device = powered('shop-scp02');
    // Capabilities, diversification data, level, applications, resources; and the odd instruction.
    for (const get of ['80CA006700', '80CA00CF00', '80CA00D300', '80CA2F0000', '80CAFF2100'])
      expect((await send(device, get)).sw, get).toBe('6A88');
    expect((await send(device, '00CB2F00025C0000')).sw).toBe('6D00');
    const channel = await openChannel(device, DEFAULT_KEYS, { level: 0x00 });
    const refused = async (apdu: string) => (await channel.send(apdu)).sw;
    // A tag list; a domain with all that is below it; an INSTALL in pieces, and one for a registry update.
    expect(await refused('80F22002054F005C014F00')).toBe('6A80');
    expect(await refused('80F0608007D276000085010000')).toBe('6A86');
    expect(await refused('80E6820009' + '07D2760000850100' + '08')).toBe('6A86');
    expect(await refused('80E640000D' + '0000' + '07D2760000850100' + '000000')).toBe('6A86');
    // Privileges of three bytes; a hash that is not SHA-1; keys of AES and of elliptic curves.
    const file = 'A0000000035350';
    const module = 'A000000003535041';
    const privileges = ['C04000', '80'].map((given) => install(0x0c, file, module, `${module}01`, given));
    expect(await refused(privileges[0] ?? '')).toBe('6A80');
    expect(await refused(privileges[1] ?? '')).toBe('9000');
    const load = (hash: string) => {
      const fields = `07D276000085010000${(hash.length / 2).toString(16)}${hash}0000`;
      return `80E60200${(fields.length / 2).toString(16)}${fields}00`;
    };
    expect(await refused(load('11'.repeat(32)))).toBe('6A80');
    expect(await refused(load('11'.repeat(20)))).toBe('9000');
    expect(await refused(`80D8000117408810${'00'.repeat(16)}0300000000`)).toBe('9484');
    expect(await refused(`80D800014873B041${'04'.repeat(65)}F001000000`)).toBe('9484');
  });

  it('is a newer one where SCP03 is ordered, which came later', () => {
    expect(shopImage('shop-scp02', { scp: '03' }).version).toBe('2.2.1');
    expect(shopImage('shop-scp02').version).toBe('2.1.1');
  });

  it('lists in the older format too', async () => {
    const channel = await openChannel(powered('shop-scp02'), DEFAULT_KEYS);
    expect((await channel.send('80F28000024F0000')).data).toBe('08A000000003000000019E');
    expect((await channel.send('80F21000024F0000')).data).toBe('07A000000003535001000108A000000003535041');
  });
});

describe('key information in the extended form', () => {
  it('has types and lengths of two bytes', async () => {
    const image = shopImage();
    image.keyInformation = 'extended';
    const device = new VirtualCard(image);
    device.powerOn();
    const { data } = await send(device, '80CA00E000');
    expect(data).toBe(
      'E024C00A01FFFF8800100000C00A02FFFF8800100000C00A03FFFF8800100000'
        .replace(/C00A/g, 'C008')
        .replace('E024', 'E01E'),
    );
  });
});

describe('a tag list in GET STATUS', () => {
  it('asks for what is shown', async () => {
    const channel = await openChannel(powered('shop-scp03'), DEFAULT_KEYS);
    expect((await channel.send('80F22002054F005C014F00')).data).toBe('E3094F07A0000001515350');
    expect((await channel.send('80F22002074F005C039F70CE00')).data).toBe('E3089F700101CE020100');
    expect((await channel.send('80F22002054F005C019F00')).sw).toBe('6A80');
  });
});

function powered(profile: ProfileName, order: Partial<CardOrder> = {}): VirtualCard {
  const device = new VirtualCard(shopImage(profile, order));
  device.powerOn();
  return device;
}

/** A client's transport, which fetches what T=0 leaves waiting. */
function client(device: VirtualCard) {
  return {
    atr: device.atr,
    powerOn: () => device.powerOn(),
    powerOff: () => device.powerOff(),
    reset: () => device.reset(),
    async transmit(command: Uint8Array): Promise<Uint8Array> {
      const answer = await device.transmit(command);
      if (answer[0] === 0x6c) return device.transmit(Uint8Array.of(...command.slice(0, 4), answer[1] ?? 0));
      if (answer[0] !== 0x61) return answer;
      return device.transmit(Uint8Array.of(0, 0xc0, 0, 0, answer[1] ?? 0));
    },
  };
}
