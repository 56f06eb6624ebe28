/** STORE DATA to the issuer's domain and to an application (GPC 2.3.1 §11.11). */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Opened, VirtualCard } from './host.ts';
import { capFile, install, installForLoad, loadBlocks, openChannel, send, sendAll } from './host.ts';
import { DEFAULT_KEYS, openedShopCard } from './shop-fixtures.ts';

let device: VirtualCard;
let channel: Opened;
beforeEach(insertShopCard);

describe('objects of the issuer’s domain', () => {
  it.each([
    ['as BER-TLV', 0x90, '42041234ABCD4504AABBCCDD'],
    ['without a word about the form', 0x80, '42041234ABCD4504AABBCCDD'],
    ['in DGI 0070', 0x88, '00700C42041234ABCD4504AABBCCDD'],
    ['with an answer allowed', 0x91, '42041234ABCD4504AABBCCDD'],
  ])('%s', async (_name, p1, data) => {
    expect((await channel.send(store(p1, 0, data))).sw).toBe('9000');
    expect((await channel.send('80CA004200')).data).toBe('42041234ABCD');
    device.reset();
    expect((await send(device, '80CA004500')).data).toBe('4504AABBCCDD');
  });

  it('go on over blocks, whose numbers count up', async () => {
    expect(await sendAll(channel, [store(0x10, 0, '420412'), store(0x90, 1, '34ABCD')])).toBe('9000');
    expect((await channel.send('80CA004200')).data).toBe('42041234ABCD');
    expect((await channel.send(store(0x90, 1, '42020102'))).sw).toBe('6A86');
    await channel.send(store(0x10, 0, '4504AA'));
    expect((await channel.send(store(0x90, 2, 'BBCCDD'))).sw).toBe('6A86');
    // The refused block ended it: the rest is no object.
    expect((await channel.send(store(0x90, 0, 'BBCCDD'))).sw).toBe('6A80');
    expect((await channel.send('80CA004500')).data).toBe('45086200123456789012');
  });

  it('CPLC: pre-personalisation and personalisation', async () => {
    await channel.send(store(0x80, 0, '9F67081111222233334444'));
    await channel.send(store(0x80, 0, '9F66085555666677778888'));
    const cplc = (await channel.send('80CA9F7F00')).data;
    expect(cplc).toHaveLength(90);
    expect(cplc.slice(-32)).toBe('11112222333344445555666677778888');
  });

  it('4F gives the domain another AID, and the session goes on', async () => {
    expect((await channel.send(store(0x90, 0, '4F08A000000151000077'))).sw).toBe('9000');
    expect((await channel.send('80F28002024F0000')).data).toContain('4F08A000000151000077');
    expect((await send(device, '00A4040008A00000015100000000')).sw).toBe('6A82');
    expect((await send(device, '00A4040000')).data).toContain('8408A000000151000077');
    await openChannel(device, DEFAULT_KEYS);
  });

  it.each([
    ['an object the card makes itself', 0x90, 'C1020001', '6A80'],
    ['the state', 0x90, '9F700107', '6A80'],
    ['a DGI that is none of a domain', 0x88, '8010020102', '6A80'],
    ['an object cut short', 0x90, '4204AB', '6A80'],
    ['a structure that is no form', 0x98, '42020102', '6A86'],
    ['the AID of something else', 0x90, '4F07A0000001515350', '6985'],
    ['no block 0', 0x90, '42020102', '6A86'],
  ])('%s is refused', async (name, p1, data, expected) => {
    const before = JSON.stringify(device.image);
    expect((await channel.send(store(p1, name === 'no block 0' ? 1 : 0, data))).sw).toBe(expected);
    expect(JSON.stringify(device.image)).toBe(before);
  });

  it('memory counts what is stored, once', async () => {
    const free = async () => (await channel.send('80CAFF2100')).data.slice(16, 24);
    const before = Number.parseInt(await free(), 16);
    for (const value of ['11'.repeat(10), '22'.repeat(10)]) {
      await channel.send(store(0x90, 0, `420A${value}`));
      expect(Number.parseInt(await free(), 16)).toBe(before - 10);
    }
  });
});

describe('an application', () => {
  const personalize = (aid: string) => `80E62000${lv(`0000${lv(aid)}000000`)}00`;
  const stored = () => {
    const applet = device.image.instances.find(({ aid }) => aid === APPLET)?.applet;
    return applet?.kind === 'plain' ? applet.data : undefined;
  };
  beforeEach(async () => {
    const steps = [installForLoad(PACKAGE), ...loadBlocks(capFile(PACKAGE, [APPLET]))];
    expect(await sendAll(channel, [...steps, install(0x0c, PACKAGE, APPLET, APPLET)])).toBe('9000');
  });

  it('gets its DGIs, however they are cut, until the last block', async () => {
    expect((await channel.send(personalize(APPLET))).data).toBe('00');
    const long = `${'0102FF0120'}${'AB'.repeat(0x120)}`;
    const cut = (data: string, at: number) => [data.slice(0, at), data.slice(at)] as const;
    const [first, rest] = cut(`0101021122${long}0103 00`.replace(/ /g, ''), 300);
    expect(await sendAll(channel, [store(0x08, 0, first), store(0x88, 1, rest)])).toBe('9000');
    expect(stored()).toEqual({ '0101': '1122', '0102': 'AB'.repeat(0x120), '0103': '' });
    // The next one is for the domain again.
    expect((await channel.send(store(0x88, 0, '0101021122'))).sw).toBe('6A80');
  });

  it.each(['shop-scp02', 'shop-scp03'] as const)('%s: encrypted DGIs arrive in clear', async (profile) => {
    ({ device, channel } = await openedShopCard(profile));
    const steps = [
      installForLoad(PACKAGE, '', ''),
      ...loadBlocks(capFile(PACKAGE, [APPLET])),
      install(0x0c, PACKAGE, APPLET, APPLET),
      personalize(APPLET),
    ];
    expect(await sendAll(channel, steps)).toBe('9000');
    const secret = Buffer.from('00112233445566778899AABBCCDDEEFF', 'hex');
    const cipher = channel.encryptKey(secret).toString('hex');
    expect((await channel.send(store(0xe8, 0, `8000${lv(cipher)}`))).sw).toBe('9000');
    expect(stored()).toEqual({ '8000': secret.toString('hex').toUpperCase() });
  });

  it('gets blocks as they are when nothing is said of their form', async () => {
    await channel.send(personalize(APPLET));
    expect(await sendAll(channel, [store(0x00, 0, 'CAFE'), store(0x80, 1, 'BABE')])).toBe('9000');
    expect(stored()).toEqual({ '00': 'CAFE', '01': 'BABE' });
  });

  it('is personalised in one session; SELECT or another INSTALL ends it', async () => {
    await channel.send(personalize(APPLET));
    await channel.send(store(0x08, 0, '0101021122'));
    await channel.send(personalize(APPLET));
    expect((await channel.send(store(0x88, 1, '0102021122'))).sw).toBe('6A86');
    await channel.send(personalize(APPLET));
    device.reset();
    channel = await openChannel(device, DEFAULT_KEYS);
    expect((await channel.send(store(0x88, 0, '0102021122'))).sw).toBe('6A80');
  });

  it('that is not there, or not ready, is refused', async () => {
    expect((await channel.send(personalize('D276000085010099'))).sw).toBe('6A88');
    await channel.send(`80F04080${lv(APPLET)}`);
    expect((await channel.send(personalize(APPLET))).sw).toBe('6985');
  });

  it('more than the card holds: 6A84', async () => {
    const free = Number.parseInt((await channel.send('80CAFF2100')).data.slice(16, 24), 16);
    expect(free).toBeGreaterThan(0);
    ({ device, channel } = await openedShopCard('shop-scp03', {}, (image) => {
      image.memory.nonVolatile = 3000;
    }));
    const steps = [
      installForLoad(PACKAGE),
      ...loadBlocks(capFile(PACKAGE, [APPLET], 100)),
      install(0x0c, PACKAGE, APPLET, APPLET),
      personalize(APPLET),
    ];
    expect(await sendAll(channel, steps)).toBe('9000');
    const block = `01${'0A'}C8${'55'.repeat(200)}`;
    const words: string[] = [];
    for (let i = 0; i < 6; i += 1)
      words.push((await channel.send(store(0x08, i, block.replace(/^010A/, `010${i}`)))).sw);
    expect(words).toContain('6A84');
    expect(words[0]).toBe('9000');
  });
});

async function insertShopCard(): Promise<void> {
  ({ device, channel } = await openedShopCard());
}

const PACKAGE = 'D2760000850100';

const APPLET = 'D276000085010001';

const lv = (hex: string) => (hex.length / 2).toString(16).padStart(2, '0') + hex;

const store = (p1: number, p2: number, data: string) =>
  `80E2${p1.toString(16).padStart(2, '0')}${p2.toString(16).padStart(2, '0')}${lv(data)}`;
