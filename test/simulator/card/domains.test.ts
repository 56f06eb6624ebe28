/** Supplementary security domains: made, given keys, used, moved, locked, deleted. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { CardImage, Keys, Opened, VirtualCard } from './host.ts';
import { aesEcb, capFile, install, installForLoad, loadBlocks, remove, send, sendAll } from './host.ts';
import { DEFAULT_KEYS, keyField, openChannel, openedShopCard } from './shop-fixtures.ts';

let device: VirtualCard;
let issuer: Opened;
beforeEach(insertShopCard);

describe('what the issuer’s domain is made of', () => {
  it('cannot be deleted: not its package, with or without what was made from it, nor the domain itself', async () => {
    for (const p2 of [0x00, 0x80]) {
      expect((await issuer.send(remove(FILE, p2))).sw).toBe('6985');
      expect((await issuer.send(remove(ISSUER, p2))).sw).toBe('6985');
    }
    expect(await makeDomain()).toBe('9000');
    await giveKeys();
    for (const p2 of [0x00, 0x80]) {
      issuer = await open(ISSUER);
      expect((await issuer.send(remove(FILE, p2))).sw).toBe('6985');
      const own = await open(DOMAIN, OWN);
      expect((await own.send(remove(DOMAIN, p2))).sw).toBe('6985');
      expect((await own.send(remove(FILE, p2))).sw).toBe('6985');
      issuer = await open(ISSUER);
    }
    expect(device.image.packages.map(({ aid }) => aid)).toEqual([FILE]);
    expect(device.image.instances.map(({ aid }) => aid)).toEqual([DOMAIN]);
    expect((await issuer.send(remove(DOMAIN))).sw).toBe('9000');
  });
});

describe('a new domain', () => {
  it('is selectable, has its parent’s keys, and is ready once it has its own', async () => {
    expect(await makeDomain()).toBe('9000');
    expect(domainState()?.lifecycle).toBe(0x07);
    const early = await open(DOMAIN);
    expect((await early.send(installForLoad(PACKAGE, '', ''))).sw).toBe('6985');
    await giveKeys();
    expect(domainState()?.lifecycle).toBe(0x0f);
    await expect(open(DOMAIN)).rejects.toThrow('card cryptogram');
    const own = await open(DOMAIN, OWN);
    expect((await own.send('80CA00E000')).data).toBe('E012C00401308810C00402308810C00403308810');
    expect((await openChannel(device, OWN, { version: 0x30 })).initializeUpdate.slice(20, 24)).toBe('3003');
    await expect(openChannel(device, OWN, { version: 0xff })).rejects.toThrow('6A88');
  });

  it('says who it is when selected, and keeps data of its own', async () => {
    await makeDomain();
    const selected = await send(device, `00A40400${lv(DOMAIN)}00`);
    expect(selected.data).toMatch(new RegExp(`^6F..84${lv(DOMAIN)}A5.*9F6501FF$`, 'i'));
    expect((await send(device, '80CA004200')).sw).toBe('6A88');
    const channel = await openChannel(device, DEFAULT_KEYS);
    expect((await channel.send('80E290000642041234ABCD')).sw).toBe('9000');
    expect((await channel.send('80CA004200')).data).toBe('42041234ABCD');
    expect((await channel.send(`80E290000A4F08${ISSUER}`)).sw).toBe('6A80');
  });

  it.each([
    ['no privileges of a domain', '00', '6A80'],
    ['authorised and delegated management at once', 'A04000', '6A80'],
    ['mandated DAP verification without its other bit', '81', '6A80'],
    ['one byte', '80', '9000'],
    ['card lock and terminate', '984000', '9000'],
  ])('%s: %s gives %s', async (_name, privileges, expected) => {
    expect(await makeDomain(DOMAIN, privileges)).toBe(expected);
    if (expected !== '9000') return;
    // One byte gives the trusted path too (§6.6.2).
    expect(domainState()?.privileges).toBe(privileges === '80' ? '808000' : privileges);
  });

  it('is made with the card’s protocol or none, and with no other', async () => {
    const parameters = (scp: string) => `C904${scp}`;
    const command = (scp: string) => install(0x0c, FILE, MODULE, DOMAIN, '80', parameters(scp));
    expect((await issuer.send(command('81020255'))).sw).toBe('6A80');
    expect((await issuer.send(command('81020310'))).sw).toBe('9000');
  });

  it('an application is no domain', async () => {
    await issuer.send(installForLoad(PACKAGE));
    await sendAll(issuer, loadBlocks(capFile(PACKAGE, [APPLET])));
    expect((await issuer.send(install(0x0c, PACKAGE, APPLET, APPLET, '80'))).sw).toBe('6A80');
  });
});

describe('content of a domain', () => {
  beforeEach(async () => {
    await makeDomain();
    await giveKeys();
  });

  it('is loaded, installed, listed and deleted by it alone', async () => {
    await makeDomainBesides();
    const own = await open(DOMAIN, OWN);
    const steps = [installForLoad(PACKAGE, '', ''), ...loadBlocks(capFile(PACKAGE, [APPLET]))];
    expect(await sendAll(own, [...steps, install(0x0c, PACKAGE, APPLET, APPLET)])).toBe('9000');
    expect((await own.send(list('40'))).data).toContain(`CC09${DOMAIN}`);
    expect((await own.send(list('20'))).data).not.toContain(`4F07${FILE}`);
    expect((await own.send(list('80'))).sw).toBe('6A88');
    // Another domain neither sees nor deletes it.
    const other = await open(OTHER_DOMAIN, OWN);
    expect((await other.send(list('20'))).sw).toBe('6A88');
    expect((await other.send(remove(APPLET))).sw).toBe('6985');
    await backToIssuer();
    expect((await issuer.send(list('40'))).data).toContain(APPLET);
    // The issuer's domain cannot go while something is associated with the other one.
    expect((await issuer.send(remove(DOMAIN))).sw).toBe('6985');
    expect((await issuer.send(remove(PACKAGE, 0x80))).sw).toBe('9000');
    expect((await issuer.send(remove(DOMAIN))).sw).toBe('9000');
    expect(domainState()).toBeUndefined();
  });

  async function makeDomainBesides(): Promise<void> {
    await backToIssuer();
    expect(await makeDomain(OTHER_DOMAIN)).toBe('9000');
    await giveKeys(OTHER_DOMAIN);
  }

  it('may be loaded for it by the issuer, and moved (extradition)', async () => {
    await backToIssuer();
    const steps = [installForLoad(PACKAGE, '', DOMAIN), ...loadBlocks(capFile(PACKAGE, [APPLET]))];
    expect(await sendAll(issuer, [...steps, install(0x0c, PACKAGE, APPLET, APPLET)])).toBe('9000');
    expect((await issuer.send(list('40'))).data).toContain(`CC09${DOMAIN}`);
    const extradite = (aid: string, to: string) =>
      `80E61000${lv(`${lv(to)}00${lv(aid)}000000`)}00`.replace(/00$/, '00');
    expect((await issuer.send(extradite(APPLET, ISSUER))).sw).toBe('9000');
    expect(domainState(APPLET)?.domain).toBeUndefined();
    expect((await issuer.send(extradite(PACKAGE, ISSUER))).sw).toBe('9000');
    expect((await issuer.send(extradite(APPLET, DOMAIN))).sw).toBe('9000');
    expect(domainState(APPLET)?.domain).toBe(DOMAIN);
    for (const [aid, to, sw] of [
      ['D276000085010099', DOMAIN, '6A88'],
      [APPLET, 'A00000015153504109', '6A88'],
      [APPLET, PACKAGE, '6A88'],
      [ISSUER, DOMAIN, '6985'],
    ] as const)
      expect((await issuer.send(extradite(aid, to))).sw).toBe(sw);
    // A domain may be its own root, and is then nobody else's to see below.
    expect((await issuer.send(extradite(DOMAIN, DOMAIN))).sw).toBe('9000');
    const own = await open(DOMAIN, OWN);
    expect((await own.send(list('40'))).data).toContain(APPLET);
  });

  it('a domain not ready, and circles, are refused', async () => {
    await backToIssuer();
    expect(await makeDomain(OTHER_DOMAIN)).toBe('9000');
    const extradite = (aid: string, to: string) => `80E61000${lv(`${lv(to)}00${lv(aid)}000000`)}00`;
    expect((await issuer.send(extradite(DOMAIN, OTHER_DOMAIN))).sw).toBe('6985');
    await giveKeys(OTHER_DOMAIN);
    await backToIssuer();
    expect((await issuer.send(extradite(OTHER_DOMAIN, DOMAIN))).sw).toBe('9000');
    expect((await issuer.send(extradite(DOMAIN, OTHER_DOMAIN))).sw).toBe('6985');
  });

  it('without management privileges it only looks after itself', async () => {
    await backToIssuer();
    expect(await makeDomain(OTHER_DOMAIN, '80')).toBe('9000');
    await giveKeys(OTHER_DOMAIN);
    const own = await open(OTHER_DOMAIN, OWN);
    expect((await own.send(installForLoad(PACKAGE, '', ''))).sw).toBe('6985');
    expect((await own.send(remove(DOMAIN))).sw).toBe('6985');
    expect((await own.send('80F0807F00')).sw).toBe('6A80');
    expect((await own.send(`80F04080${lv(DOMAIN)}`)).sw).toBe('6985');
    expect((await own.send(list('40'))).data).toContain(OTHER_DOMAIN);
    expect((await own.send('80E4000003D2013000')).sw).toBe('6985');
    expect((await own.send(`80E290000442020102`)).sw).toBe('9000');
  });

  it('locked it answers nothing and cannot be selected, nor what is below it', async () => {
    await backToIssuer();
    const steps = [installForLoad(PACKAGE, '', DOMAIN), ...loadBlocks(capFile(PACKAGE, [APPLET]))];
    await sendAll(issuer, [...steps, install(0x0c, PACKAGE, APPLET, APPLET)]);
    expect((await issuer.send(`80F06080${lv(DOMAIN)}`)).sw).toBe('9000');
    expect((await issuer.send(`80F04080${lv(DOMAIN)}`)).sw).toBe('6A80');
    expect((await send(device, `00A40400${lv(DOMAIN)}00`)).sw).toBe('6A82');
    expect((await send(device, `00A40400${lv(APPLET)}00`)).sw).toBe('6A82');
    expect((await issuer.send(`80F06000${lv(DOMAIN)}`)).sw).toBe('9000');
    expect(domainState()?.lifecycle).toBe(0x0f);
    expect((await send(device, `00A40400${lv(APPLET)}00`)).sw).toBe('9000');
    await open(DOMAIN, OWN);
  });

  it('counts its own failed authentications', async () => {
    await send(device, `00A40400${lv(DOMAIN)}00`);
    for (let i = 0; i < 10; i += 1) {
      await send(device, '80500000080102030405060708');
      expect((await send(device, `8482010010${'00'.repeat(16)}`)).sw).toBe('6300');
    }
    expect((await send(device, '80500000080102030405060708')).sw).toBe('6983');
    await backToIssuer();
    expect((await issuer.send(list('80'))).sw).toBe('9000');
  });
});

describe('privileges that only one may have', () => {
  it('card reset: selected after reset instead of the issuer’s domain, until it is gone', async () => {
    await makeDomain();
    const makeDefault = (aid: string, privileges: string) =>
      `80E60800${lv(`0000${lv(aid)}${lv(privileges)}0000`)}00`;
    expect((await issuer.send(makeDefault(DOMAIN, '040000'))).sw).toBe('9000');
    expect((await issuer.send(list('80'))).data).toContain('C5039AFE80');
    device.reset();
    // Another domain answers now: it has no number of its own.
    expect((await send(device, '80CA004500')).sw).toBe('6A88');
    await backToIssuer();
    expect(await makeDomain(OTHER_DOMAIN, '84C000')).toBe('6985');
    expect((await issuer.send(`80F04080${lv(DOMAIN)}`)).sw).toBe('9000');
    device.reset();
    expect((await send(device, '80CA004500')).sw).toBe('9000');
    issuer = await openChannel(device, DEFAULT_KEYS);
    expect((await issuer.send(remove(DOMAIN))).sw).toBe('9000');
    expect((await issuer.send(list('80'))).data).toContain('C5039EFE80');
  });

  it('final application: alone selectable on a locked card', async () => {
    await makeDomain(DOMAIN, '80C200');
    await sendAll(issuer, ['80F0800F', '80F0807F']);
    expect((await send(device, '00A4040000')).sw).toBe('6A81');
    expect((await send(device, `00A40400${lv(DOMAIN)}00`)).sw).toBe('6283');
    device.reset();
    expect((await send(device, '80CA004500')).sw).toBe('6A88');
  });

  it('registry update gives and takes privileges', async () => {
    await makeDomain();
    const update = (privileges: string) => `80E64000${lv(`0000${lv(DOMAIN)}${lv(privileges)}0000`)}00`;
    expect((await issuer.send(update('800000'))).sw).toBe('9000');
    expect(domainState()?.privileges).toBe('800000');
    expect((await issuer.send(update('000000'))).sw).toBe('6A80');
    const restrict = `80E64000${lv(`0000${lv(DOMAIN)}00${lv('D90101')}00`)}00`;
    expect((await issuer.send(restrict)).sw).toBe('6A80');
  });
});

async function insertShopCard(): Promise<void> {
  ({ device, channel: issuer } = await openedShopCard());
}

const FILE = 'A0000001515350';

const MODULE = 'A000000151535041';

const DOMAIN = 'A00000015153504101';

const OTHER_DOMAIN = 'A00000015153504102';

const ISSUER = 'A000000151000000';

const PACKAGE = 'D2760000850100';

const APPLET = 'D276000085010001';

const lv = (hex: string) => (hex.length / 2).toString(16).padStart(2, '0') + hex;

const list = (p1: string) => `80F2${p1}02024F0000`;

const OWN: Keys = {
  enc: Buffer.alloc(16, 0x11),
  mac: Buffer.alloc(16, 0x22),
  dek: Buffer.alloc(16, 0x33),
};

const domainState = (aid = DOMAIN): CardImage['instances'][number] | undefined =>
  device.image.instances.find((entry) => entry.aid === aid);

async function makeDomain(aid = DOMAIN, privileges = '80C000'): Promise<string> {
  return (await issuer.send(install(0x0c, FILE, MODULE, aid, privileges))).sw;
}

/** A session with a domain; its parent's keys open it until it has its own. */
async function open(aid: string, keys: Keys = DEFAULT_KEYS): Promise<Opened> {
  expect((await send(device, `00A40400${lv(aid)}00`)).sw).toBe('9000');
  return openChannel(device, keys);
}

async function giveKeys(aid = DOMAIN, keys = OWN): Promise<void> {
  const channel = await open(aid);
  const fields = [keys.enc, keys.mac, keys.dek].map((key) => {
    const bytes = Buffer.from(key);
    return keyField(channel, 0x88, bytes, aesEcb(bytes, Buffer.alloc(16, 1)).subarray(0, 3));
  });
  const data = Buffer.concat([Buffer.of(0x30), ...fields]);
  const command = Buffer.concat([Buffer.of(0x80, 0xd8, 0x00, 0x81, data.length), data, Buffer.of(0)]);
  expect((await channel.send(command.toString('hex'))).sw).toBe('9000');
}

async function backToIssuer(): Promise<void> {
  await send(device, '00A4040000');
  issuer = await openChannel(device, DEFAULT_KEYS);
}
