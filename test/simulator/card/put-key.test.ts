/** PUT KEY and DELETE of keys. */
import { describe, expect, it } from 'vitest';
import { aesEcb, card, isdKeys, type Keys, type Opened, openChannel, send, tdesEcb } from './host.ts';

describe.each(forms())('$type, $length-byte keys, $form', ({ type, keyType, length, form }) => {
  it('adds a set, opens a channel under it, and deletes the old one', async () => {
    const device = card({ type });
    const keys = three(length);
    const channel = await openChannel(device, isdKeys(device.image), { level: 0x03 });
    const fields = keys.all.map((key) => field(channel, keyType, key, form));
    const answer = await channel.send(putKey(0x00, 0x81, 0x30, ...fields));
    const checks = keys.all.map((key) => kcv(keyType, key).toString('hex').toUpperCase());
    expect(answer).toEqual({ data: `30${checks.join('')}`, sw: '9000' });
    const own = await openChannel(device, keys, { level: 0x03, version: 0x30 });
    expect((await own.send('80E4000003D2013000')).sw).toBe('6985');
    expect((await own.send('80E4000003D2010100')).sw).toBe('9000');
    expect((await own.send('80E4000003D2010100')).sw).toBe('6A88');
    await expect(openChannel(device, keys, { version: 0x01 })).rejects.toThrow('6A88');
    await openChannel(device, keys, { level: 0x03 });
  });
});

describe('PUT KEY', () => {
  const open = async (type: 'demo-scp02' | 'demo-scp03' = 'demo-scp03') => {
    const device = card({ type });
    return { device, channel: await openChannel(device, isdKeys(device.image)) };
  };

  it('replaces a set under a new version; the counter starts again', async () => {
    const { device, channel } = await open();
    const keys = three(16);
    const fields = keys.all.map((key) => field(channel, 0x88, key, 'headed'));
    expect((await channel.send(putKey(0x01, 0x81, 0x02, ...fields))).sw).toBe('9000');
    device.reset();
    expect((await send(device, '80CA00E000')).data).toBe('E012C00401028810C00402028810C00403028810');
    expect((await openChannel(device, keys, { version: 2 })).initializeUpdate).toMatch(/000001$/);
  });

  it('replaces one key under the same version', async () => {
    const { device, channel } = await open();
    const { dek } = three(16);
    const answer = await channel.send(
      putKey(0x01, 0x03, 0x01, field(channel, 0x88, Buffer.from(dek), 'headed')),
    );
    expect(answer.data).toBe(`01${kcv(0x88, Buffer.from(dek)).toString('hex').toUpperCase()}`);
    await openChannel(device, { ...isdKeys(device.image), dek });
  });

  it('takes AES keys under an SCP02 DEK, and DES keys under an SCP03 one', async () => {
    const older = await open('demo-scp02');
    const key = Buffer.from('404142434445464748494A4B4C4D4E4F', 'hex');
    const aes = await older.channel.send(putKey(0x00, 0x01, 0x31, field(older.channel, 0x88, key, 'headed')));
    expect(aes).toEqual({ data: '31504A77', sw: '9000' });
    const newer = await open('demo-scp03');
    const des = await newer.channel.send(putKey(0x00, 0x01, 0x31, field(newer.channel, 0x80, key, 'bare')));
    expect(des).toEqual({ data: '318BAF47', sw: '9000' });
  });

  it('drops the initial keys of version FF when the issuer’s arrive', async () => {
    const device = card({}, (image) => {
      for (const set of image.domain.keySets) set.version = 0xff;
    });
    const channel = await openChannel(device, isdKeys(device.image), { version: 0xff });
    const fields = three(16).all.map((key) => field(channel, 0x88, key, 'headed'));
    expect((await channel.send(putKey(0x00, 0x81, 0x20, ...fields))).sw).toBe('9000');
    expect(device.image.domain.keySets.map(({ version }) => version)).toEqual([0x20]);
  });

  it('writes nothing when one of several is refused', async () => {
    const { device, channel } = await open();
    const before = JSON.stringify(device.image);
    const { all } = three(16);
    const good = all.map((key) => field(channel, 0x88, key, 'headed'));
    const [first, second] = good as [Buffer, Buffer, Buffer];
    const badCheck = field(channel, 0x88, all[2] ?? Buffer.alloc(16), 'headed', Buffer.of(1, 2, 3));
    const longer = field(channel, 0x88, keyBytes(1, 32), 'headed');
    const des = field(channel, 0x80, keyBytes(1, 16), 'bare');
    const refused: [string, string][] = [
      [putKey(0x00, 0x81, 0x30, first, second, badCheck), '6982'],
      [putKey(0x01, 0x81, 0x02, first, second, longer), '6A80'],
      [putKey(0x01, 0x81, 0x02, first, second, des), '6A80'],
      [putKey(0x01, 0x81, 0x02, first, second), '6A80'],
      [putKey(0x05, 0x81, 0x06, ...good), '6A88'],
      [putKey(0x00, 0x81, 0x01, ...good), '6A80'],
      [putKey(0x00, 0x01, 0x30, first, second), '6A80'],
      [putKey(0x00, 0x81, 0x00, ...good), '6A80'],
      [putKey(0x00, 0x80, 0x30, ...good), '6A86'],
      [putKey(0x00, 0x81, 0x30, Buffer.of(0xa1, 0x01, 0x00, 0x00)), '6A80'],
      [putKey(0x00, 0x81, 0x30, first.subarray(0, 9)), '6A80'],
      [putKey(0x00, 0x81, 0x30), '6A80'],
    ];
    for (const [command, expected] of refused) expect((await channel.send(command)).sw).toBe(expected);
    expect(JSON.stringify(device.image)).toBe(before);
  });
});

type Form = 'bare' | 'headed';

const kcv = (type: number, key: Buffer) =>
  (type === 0x88 ? aesEcb(key, Buffer.alloc(16, 1)) : tdesEcb(key, Buffer.alloc(8))).subarray(0, 3);

function field(channel: Opened, type: number, key: Buffer, form: Form, check = kcv(type, key)): Buffer {
  const cipher = channel.encryptKey(key);
  const value = form === 'headed' ? Buffer.concat([Buffer.of(key.length), cipher]) : cipher;
  return Buffer.concat([Buffer.of(type, value.length), value, Buffer.of(check.length), check]);
}

function putKey(p1: number, p2: number, version: number, ...fields: Buffer[]): string {
  const data = Buffer.concat([Buffer.of(version), ...fields]);
  return Buffer.concat([Buffer.of(0x80, 0xd8, p1, p2, data.length), data, Buffer.of(0)]).toString('hex');
}

const keyBytes = (seed: number, length: number) =>
  Buffer.from(Array.from({ length }, (_, i) => seed + i * 2));

const three = (length: number): Keys & { all: Buffer[] } => {
  const [enc, mac, dek] = [keyBytes(0x10, length), keyBytes(0x40, length), keyBytes(0x70, length)] as [
    Buffer,
    Buffer,
    Buffer,
  ];
  return { enc, mac, dek, all: [enc, mac, dek] };
};

function forms() {
  return [
    { type: 'demo-scp02', keyType: 0x80, length: 16, form: 'bare' },
    { type: 'demo-scp03', keyType: 0x88, length: 16, form: 'bare' },
    { type: 'demo-scp03', keyType: 0x88, length: 16, form: 'headed' },
    { type: 'demo-scp03', keyType: 0x88, length: 24, form: 'headed' },
    { type: 'demo-scp03', keyType: 0x88, length: 32, form: 'headed' },
    { type: 'demo-scp03', keyType: 0x88, length: 32, form: 'bare' },
  ] as const;
}
