/** Signed load files (DAP) and delegated management with tokens (GPC 2.3.1 §9.1.3.3, §9.2, §C.2 to §C.4). */
import { createHash, createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Opened, VirtualCard } from './host.ts';
import { aesEcb, CODE, capFile, cmac, install, installForLoad, remove, send, sendAll } from './host.ts';
import { DEFAULT_KEYS, keyField, openChannel, openedShopCard } from './shop-fixtures.ts';

let device: VirtualCard;
let channel: Opened;

describe('a domain that verifies load files', () => {
  const hash = Buffer.from(sha256, 'hex');
  const ecSignature = sign('sha256', hash, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }).toString('hex');
  beforeEach(() => domainWith('C04000'));

  it.each([
    ['ECC, its curve by reference', publicKey(0x73, ec.publicKey), ecSignature],
    ['ECC, its curve by parameters', publicKey(0x73, ec.publicKey, true), ecSignature],
    [
      'RSA of 1024 bits',
      publicKey(0x73, rsa1024.publicKey),
      createSign('sha1').update(hash).sign(rsa1024.privateKey, 'hex'),
    ],
    [
      'RSA of 2048 bits, PSS',
      publicKey(0x73, rsa2048.publicKey),
      sign('sha256', hash, { key: rsa2048.privateKey, padding: 6, saltLength: 32 }).toString('hex'),
    ],
  ])('%s', async (_name, key, signature) => {
    expect(await putPublicKey(key)).toBe('9000');
    expect((await channel.send('80CA00E000')).sw).toBe('9000');
    const wrong = signature.replace(/^../, (byte) => (byte === '00' ? '01' : '00'));
    expect(await sendAll(channel, signedLoad([{ aid: DOMAIN, signature: wrong }]))).toBe('6A80');
    expect(device.image.packages).toHaveLength(1);
    expect(await sendAll(channel, signedLoad([{ aid: DOMAIN, signature }]))).toBe('9000');
    expect(device.image.packages.at(-1)?.domain).toBe(DOMAIN);
  });

  it('AES, a secret key of version 73', async () => {
    const key = Buffer.alloc(16, 0x77);
    const field = keyField(channel, 0x88, key, aesEcb(key, Buffer.alloc(16, 1)).subarray(0, 3));
    const data = Buffer.concat([Buffer.of(0x73), field]).toString('hex');
    expect((await channel.send(`80D80001${lv(data)}`)).sw).toBe('9000');
    const signature = cmac(key, hash).toString('hex');
    expect(await sendAll(channel, signedLoad([{ aid: DOMAIN, signature }]))).toBe('9000');
  });

  it('refuses a load without its signature, without a hash, or with a hash of something else', async () => {
    await putPublicKey(publicKey(0x73, ec.publicKey));
    const signed = { aid: DOMAIN, signature: ecSignature };
    expect(await sendAll(channel, signedLoad([]))).toBe('6985');
    expect(await sendAll(channel, signedLoad([signed], ''))).toBe('6A80');
    expect(await sendAll(channel, signedLoad([signed], '00'.repeat(32)))).toBe('6A80');
    expect(await sendAll(channel, signedLoad([{ ...signed, aid: FILE }]))).toBe('6985');
    expect(await sendAll(channel, signedLoad([signed]))).toBe('9000');
  });

  it('without a key it lets nothing in; and no load file is moved to it', async () => {
    expect(await sendAll(channel, signedLoad([{ aid: DOMAIN, signature: ecSignature }]))).toBe('6A80');
    await send(device, '00A4040000');
    channel = await openChannel(device, DEFAULT_KEYS);
    expect((await channel.send(`80E61000${lv(`${lv(DOMAIN)}00${lv(FILE)}000000`)}00`)).sw).toBe('6985');
  });
});

describe('mandated verification', () => {
  it('is wanted of every load on the card', async () => {
    await domainWith('C14000');
    expect(await putPublicKey(publicKey(0x73, ec.publicKey))).toBe('9000');
    await send(device, '00A4040000');
    channel = await openChannel(device, DEFAULT_KEYS, { level: 0x00 });
    const [first, ...rest] = signedLoad([]);
    const forIssuer = (first ?? '').replace(`${lv(DOMAIN)}`, '00').replace(/^(.{8})../, (_, head: string) => {
      const length = ((first ?? '').length - 12) / 2 - DOMAIN.length / 2;
      return head + length.toString(16).padStart(2, '0');
    });
    expect(await sendAll(channel, [forIssuer, ...rest])).toBe('6985');
    expect(device.image.packages).toHaveLength(1);
  });
});

describe('delegated management', () => {
  /** P1, P2, length and data without the token, signed by the issuer. */
  const token = (p1: number, data: string) => {
    const message = Buffer.from(`${p1.toString(16).padStart(2, '0')}00${len(data)}${data}`, 'hex');
    return sign('sha256', message, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }).toString('hex');
  };
  const command = (ins: string, p1: number, data: string) =>
    `80${ins}${p1.toString(16).padStart(2, '0')}00${lv(data)}00`;
  const forLoad = `${lv(PACKAGE)}${lv(DOMAIN)}${lv(sha256)}00`;
  const forInstall = `${lv(PACKAGE)}${lv(APPLET)}${lv(APPLET)}0100${lv('C900')}`;

  beforeEach(async () => {
    await domainWith('A00000');
    await send(device, '00A4040000');
    channel = await openChannel(device, DEFAULT_KEYS, { level: 0x00 });
    expect(await putPublicKey(publicKey(0x70, ec.publicKey))).toBe('9000');
    await openDomain();
  });

  it('loads, installs and deletes with the issuer’s tokens', async () => {
    const blocks = signedLoad([]).slice(1);
    const steps = [
      command('E6', 0x02, forLoad + lv(token(0x02, forLoad))),
      ...blocks,
      command('E6', 0x0c, forInstall + lv(token(0x0c, forInstall))),
    ];
    expect(await sendAll(channel, steps)).toBe('9000');
    const object = `4F${lv(APPLET)}`;
    expect((await channel.send(command('E4', 0, object))).sw).toBe('6985');
    expect((await channel.send(command('E4', 0, `${object}9E${lv(token(0, object))}`))).sw).toBe('9000');
  });

  it('gets receipts for what it does, which the issuer can check and nobody can repeat', async () => {
    await putReceiptKey();
    const told = async (apdu: string) => Buffer.from((await channel.send(apdu)).data, 'hex');
    expect(await told(command('E6', 0x02, forLoad + lv(token(0x02, forLoad))))).toEqual(Buffer.of(0));
    const blocks = signedLoad([]).slice(1);
    for (const block of blocks.slice(0, -1)) expect(await told(block)).toEqual(Buffer.of(0));
    expect(await told(blocks.at(-1) ?? '')).toEqual(receipt(1, PACKAGE, DOMAIN));
    const installed = command('E6', 0x0c, forInstall + lv(token(0x0c, forInstall)));
    expect(await told(installed)).toEqual(receipt(2, PACKAGE, APPLET));
    const away = `${lv(ISSUER)}00${lv(APPLET)}0000`;
    const moved = command('E6', 0x10, away + lv(token(0x10, away)));
    expect(await told(moved)).toEqual(receipt(3, DOMAIN, APPLET, ISSUER));
    // What was refused has none, and does not count.
    expect((await channel.send(remove(PACKAGE))).sw).toBe('6985');
    await send(device, '00A4040000');
    expect((await send(device, '80CA00C200')).data).toBe('C2020003');
    channel = await openChannel(device, DEFAULT_KEYS);
    // The issuer's domain knows what it does itself.
    expect(await channel.send(remove(APPLET))).toMatchObject({ data: '00', sw: '9000' });
    await openDomain();
    const object = `4F${lv(PACKAGE)}`;
    const deleted = command('E4', 0, `${object}9E${lv(token(0, object))}`);
    expect(await told(deleted)).toEqual(receipt(4, PACKAGE));
  });

  it('refuses no token, another command’s and a broken one', async () => {
    expect((await channel.send(command('E6', 0x02, `${forLoad}00`))).sw).toBe('6985');
    expect((await channel.send(command('E6', 0x02, forLoad + lv(token(0x0c, forLoad))))).sw).toBe('6A80');
    expect((await channel.send(command('E6', 0x02, forLoad + lv('00'.repeat(64))))).sw).toBe('6A80');
    expect((await channel.send(remove(APPLET))).sw).toBe('6985');
  });

  it('nobody else may bring one', async () => {
    await send(device, '00A4040000');
    channel = await openChannel(device, DEFAULT_KEYS);
    expect((await channel.send(command('E6', 0x02, forLoad + lv(token(0x02, forLoad))))).sw).toBe('6A80');
    expect((await channel.send(installForLoad(PACKAGE))).sw).toBe('9000');
  });
});

const DOMAIN = 'A00000015153504101';
const PACKAGE = 'D2760000850100';
const APPLET = 'D276000085010001';
const load = capFile(PACKAGE, [APPLET], 300);
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 });
const rsa2048 = generateKeyPairSync('rsa', { modulusLength: 2048 });
const hexOf = (text: string | undefined) => Buffer.from(text ?? '', 'base64url').toString('hex');

const len = (hex: string) => {
  const n = hex.length / 2;
  return n < 0x80
    ? n.toString(16).padStart(2, '0')
    : n < 0x100
      ? `81${n.toString(16)}`
      : `82${n.toString(16).padStart(4, '0')}`;
};

const lv = (hex: string) => len(hex) + hex;
const sha256 = createHash('sha256').update(load).digest('hex');

const ISSUER = 'A000000151000000';

const RECEIPT_KEY = Buffer.alloc(16, 0x71);

/** Receipt key (AES, version 71) into the issuer's domain, and the delegated one opened again. */
async function putReceiptKey(): Promise<void> {
  await send(device, '00A4040000');
  channel = await openChannel(device, DEFAULT_KEYS, { level: 0x00 });
  const check = aesEcb(RECEIPT_KEY, Buffer.alloc(16, 1)).subarray(0, 3);
  const data = Buffer.concat([Buffer.of(0x71), keyField(channel, 0x88, RECEIPT_KEY, check)]).toString('hex');
  expect((await channel.send(`80D80001${lv(data)}`)).sw).toBe('9000');
  await openDomain();
}

/** Receipt number `count` of this card for `aids` (GPC 2.3.1 §11.1.6, §C.5): MAC with its length, counter, issuer and card number. */
function receipt(count: number, ...aids: readonly string[]): Buffer {
  const confirmation = `02${count.toString(16).padStart(4, '0')}${lv(`4B41494B41000000${CODE}`)}`;
  const mac = cmac(RECEIPT_KEY, Buffer.from(confirmation + aids.map(lv).join(''), 'hex'));
  return Buffer.concat([Buffer.of(mac.length), mac, Buffer.from(confirmation, 'hex')]);
}

const FILE = 'A0000001515350';

const MODULE = 'A000000151535041';

/** PUT KEY data of a public key, version first. */
function publicKey(version: number, key: KeyObject, ownParameters = false): string {
  const jwk = key.export({ format: 'jwk' });
  const kvn = version.toString(16).padStart(2, '0');
  if (jwk.kty === 'RSA') return `${kvn}A1${lv(hexOf(jwk.n))}A0${lv(hexOf(jwk.e))}00`;
  const point = `04${hexOf(jwk.x)}${hexOf(jwk.y)}`;
  // The prime of P-256 tells the curve; the card needs no more of its parameters.
  const prime = 'FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF';
  return `${kvn}B0${lv(point)}${ownParameters ? `B2${lv(prime)}` : 'F00100'}00`;
}

/** PUT KEY in as many pieces as it needs; the card's last answer. */
async function putPublicKey(data: string): Promise<string> {
  const pieces = data.match(/.{1,400}/g) ?? [];
  let sw = '';
  for (const [i, piece] of pieces.entries()) {
    const p1 = i === pieces.length - 1 ? '00' : '80';
    ({ sw } = await channel.send(`80D8${p1}01${len(piece)}${piece}`.replace(/^(.{8})81/, '$1')));
  }
  return sw;
}

/** A domain with keys of its own, selected and opened, without protection so that pieces are easy to make. */
async function domainWith(privileges: string): Promise<void> {
  ({ device, channel } = await openedShopCard('shop-scp03', { level: 0x00 }));
  expect((await channel.send(install(0x0c, FILE, MODULE, DOMAIN, privileges))).sw).toBe('9000');
  await openDomain();
  const key = Buffer.from(DEFAULT_KEYS.enc);
  const check = aesEcb(key, Buffer.alloc(16, 1)).subarray(0, 3);
  const fields = [1, 2, 3].map(() => keyField(channel, 0x88, key, check));
  const data = Buffer.concat([Buffer.of(0x01), ...fields]);
  const put = Buffer.concat([Buffer.of(0x80, 0xd8, 0x00, 0x81, data.length), data]).toString('hex');
  expect((await channel.send(put)).sw).toBe('9000');
  await openDomain();
}

async function openDomain(): Promise<void> {
  await send(device, `00A40400${lv(DOMAIN)}00`);
  channel = await openChannel(device, DEFAULT_KEYS, { level: 0x00 });
}

/** INSTALL [for load] with a hash, and LOADs with signatures before the file. */
function signedLoad(daps: readonly { aid: string; signature: string }[], hash = sha256): string[] {
  const blocks = daps.map(({ aid, signature }) => `E2${lv(`4F${lv(aid)}C3${lv(signature)}`)}`).join('');
  const file = Buffer.from(load).toString('hex');
  const whole = `${blocks}C482${load.length.toString(16).padStart(4, '0')}${file}`;
  const pieces = whole.match(/.{1,400}/g) ?? [];
  const fields = `${lv(PACKAGE)}${lv(DOMAIN)}${lv(hash)}0000`;
  return [
    `80E60200${(fields.length / 2).toString(16).padStart(2, '0')}${fields}00`,
    ...pieces.map((piece, i) => {
      const p1 = i === pieces.length - 1 ? '80' : '00';
      const lc = (piece.length / 2).toString(16).padStart(2, '0');
      return `80E8${p1}${i.toString(16).padStart(2, '0')}${lc}${piece}00`;
    }),
  ];
}
