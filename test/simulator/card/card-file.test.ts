/** Cards in files. */
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCardFile, saveCardFile } from '../../../app/simulator/card-file.ts';
import { makeCard } from '../../../app/simulator/factory.ts';
import { parseCardImage } from '../../../app/simulator/image.ts';
import { WALLET } from './fixtures.ts';
import { aesEcb, CODE, cardKey, image, isdKeys, MASTERS, openChannel, send, VirtualCard } from './host.ts';

let folder = '';
let path = '';
beforeEach(makeFolder);
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a card file', () => {
  it('keeps what happened, is its owner’s alone, and leaves nothing beside it', async () => {
    await saveCardFile(path, image());
    const device = await openCardFile(path);
    device.powerOn();
    for (let i = 0; i < 3; i += 1) {
      await send(device, '80500000080102030405060708');
      expect((await send(device, `8482010010${'00'.repeat(16)}`)).sw).toBe('6300');
      const stored = parseCardImage(JSON.parse(await readFile(path, 'utf8')));
      expect(stored.domain.failedAuthentications).toBe(i + 1);
    }
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['card.json']);
    const again = await openCardFile(path, { latency: 'none' });
    expect(again.image).toEqual(device.image);
    expect(again.path).toBe(path);
  });

  it('is not written by commands that change nothing', async () => {
    await saveCardFile(path, image());
    const device = await openCardFile(path);
    device.powerOn();
    await rm(folder, { recursive: true });
    await send(device, `00A4040009${WALLET}00`);
    expect((await send(device, '00B095001E')).sw).toBe('9000');
  });

  it('answers 6581 and stays as it was when the disk refuses', async () => {
    await saveCardFile(path, image());
    const device = await openCardFile(path);
    device.powerOn();
    const before = device.image;
    await rm(folder, { recursive: true });
    await expect(openChannel(device, isdKeys(parseCardImage(before)))).rejects.toThrow('6581');
    expect(device.image).toEqual(before);
  });

  it.each([
    ['no JSON', '{'],
    ['no card', '{"format":1}'],
  ])('with %s is refused, without its content in the error', async (_name, content) => {
    await writeFile(path, content);
    await chmod(path, 0o600);
    await expect(openCardFile(path)).rejects.toThrow(/^\S+card\.json: is not a card image$/);
    await expect(openCardFile(`${path}x`)).rejects.toThrow('cannot be read');
  });

  it('refuses keys of a wrong length', () => {
    const spoiled = image();
    const [set] = spoiled.domain.keySets;
    const [key] = set?.keys ?? [];
    if (key) key.value = '00';
    expect(() => parseCardImage(spoiled)).toThrow();
  });
});

describe('the factory', () => {
  it('delivers what the data sheet says', () => {
    const fresh = image();
    expect(new VirtualCard(fresh).atr).toEqual(Uint8Array.from(Buffer.from('3B85014B41494B41CD', 'hex')));
    expect(Buffer.from(new VirtualCard(image({ type: 'demo-scp02' })).atr).toString('hex')).toBe(
      '3b85014b41494b32be',
    );
    expect(fresh.instances.map(({ aid }) => aid)).toEqual([
      'F04B41494B41010001',
      'F04B41494B41020001',
      'F04B41494B41040001',
    ]);
    expect(fresh.domain.lifecycle).toBe(0x0f);
  });

  it('diversifies by D ‖ NOT D: AES for the ISD of SCP03, 3DES elsewhere', () => {
    const block = Buffer.from('62001234567890129DFFEDCBA9876FED', 'hex');
    const upper = (bytes: Buffer) => bytes.toString('hex').toUpperCase();
    const fresh = image();
    expect(fresh.domain.keySets[0]?.keys[0]?.value).toBe(upper(aesEcb(Buffer.alloc(16, 0x11), block)));
    expect(fresh.transport['F04B41494B410100']?.mck).toBe(upper(cardKey(MASTERS.apps['e-wallet'].mck, CODE)));
    const older = image({ type: 'demo-scp02' });
    expect(older.domain.keySets[0]?.keys[2]).toEqual({
      id: 3,
      kind: 'des3',
      value: upper(cardKey(MASTERS.isd.dek, CODE)),
    });
    expect(older.transport).toEqual(fresh.transport);
  });

  it('takes counters, balances and apps from the order', () => {
    const special = image({
      installed: ['campus-meal', 'e-wallet'],
      counters: { 'e-wallet': 0x51 },
      balances: { 'e-wallet': 700 },
    });
    const [meal, purse] = special.instances.map(({ applet }) => applet);
    expect(meal).toMatchObject({ kind: 'fmcos', keys: [{ counter: 0x33 }, { counter: 0x33 }] });
    expect(purse).toMatchObject({ balance: 700, keys: [{ counter: 0x51 }, { counter: 0x51 }] });
  });

  it('refuses an order or masters that are not in shape', () => {
    expect(() => image({ identificationCode: '12' })).toThrow();
    expect(() => image({ protocolOption: 0x41 })).toThrow();
    expect(() =>
      makeCard(
        { type: 'demo-scp03', identificationCode: CODE },
        { ...MASTERS, isd: { enc: '', mac: '', dek: '' } },
      ),
    ).toThrow();
  });
});

async function makeFolder(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'kaika-card-'));
  path = join(folder, 'card.json');
}
