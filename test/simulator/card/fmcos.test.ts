/** The apps in the FMCOS dialect, as the data sheet has them. */
import { describe, expect, it } from 'vitest';
import type { FmcosState } from '../../../app/simulator/image.ts';
import { authenticate, readPublicFile, record, update, writeKey, writeKeyCommand } from './fmcos-host.ts';
import { CODE, card, cardKey, challenge, MASTERS, send, tdesEcb, type VirtualCard, WALLET } from './host.ts';

describe('enabling an app', () => {
  it('maintenance key, master control key, file: each takes effect at once', async () => {
    const device = await wallet();
    expect(await authenticate(device, MCK)).toBe('9000');
    expect(await writeKey(device, MCK, 0x36, record(0xf6, NEW_MTK))).toBe('9000');
    expect(await writeKey(device, MCK, 0x39, record(0xf9, NEW_MCK))).toBe('9000');
    expect(await update(device, MTK, 8, '01')).toBe('9302');
    expect(await update(device, NEW_MTK, 8, '0101000000000012345678')).toBe('9000');
    expect((await readPublicFile(device)).data).toBe(
      `4B41494B410000000101000000000012345678${'00'.repeat(11)}`,
    );
    await send(device, SELECT);
    expect(await authenticate(device, MCK)).toBe('63C2');
    expect(await authenticate(device, NEW_MCK)).toBe('9000');
  });

  it('the new master control key protects the next write in the same session', async () => {
    const device = await wallet();
    await authenticate(device, MCK);
    await writeKey(device, MCK, 0x39, record(0xf9, NEW_MCK));
    expect(await writeKey(device, MCK, 0x36, record(0xf6, NEW_MTK))).toBe('6988');
    expect(await writeKey(device, NEW_MCK, 0x36, record(0xf6, NEW_MTK))).toBe('9000');
  });
});

describe('GET CHALLENGE', () => {
  it('gives 4 or 8 bytes, always others, and nothing else', async () => {
    const device = await wallet();
    for (const [length, digits] of [
      ['04', 8],
      ['08', 16],
    ] as const) {
      const first = await send(device, `00840000${length}`);
      expect(first.data).toHaveLength(digits);
      expect((await send(device, `00840000${length}`)).data).not.toBe(first.data);
    }
    for (const command of ['0084000000', '0084000005', '00840000', '008400000400'])
      expect((await send(device, command)).sw).toBe('6700');
    expect((await send(device, '0084000104')).sw).toBe('6A86');
    expect((await send(device, '8084000004')).sw).toBe('6E00');
  });
});

describe('EXTERNAL AUTHENTICATE', () => {
  it('over an 8-byte challenge too', async () => {
    expect(await authenticate(await wallet(), MCK, 8)).toBe('9000');
  });

  it('counts down, locks, and stays locked; a success in time restores all tries', async () => {
    const device = await wallet();
    expect(await authenticate(device, WRONG)).toBe('63C2');
    expect(await authenticate(device, WRONG)).toBe('63C1');
    expect(await authenticate(device, MCK)).toBe('9000');
    for (const expected of ['63C2', '63C1', '63C0', '6983', '6983'])
      expect(await authenticate(device, WRONG)).toBe(expected);
    expect(await authenticate(device, MCK)).toBe('6983');
    device.powerOff();
    device.powerOn();
    await send(device, SELECT);
    expect(await authenticate(device, MCK)).toBe('6983');
    expect((await readPublicFile(device)).sw).toBe('9000');
  });

  const between: [string, string][] = [
    ['READ BINARY', '00B095001E'],
    ['GET BALANCE', '805C000204'],
    ['an unknown command', '00FF000000'],
    ['SELECT of itself', SELECT],
    ['SELECT of what is not there', '00A4040005D276000099'],
    ['a malformed command', '0082'],
    ['a failed authentication', '00820000080000000000000000'],
  ];
  it.each(between)('%s between voids the challenge', async (_name, command) => {
    const device = await wallet();
    const random = await challenge(device);
    await send(device, command);
    const tries = state(device).keys[0]?.counter;
    expect((await send(device, `0082000008${tdesEcb(MCK, random).toString('hex')}`)).sw).toBe('6985');
    expect(state(device).keys[0]?.counter).toBe(tries);
  });

  it('does not take a challenge from before a reset', async () => {
    const device = await wallet();
    const random = await challenge(device);
    device.reset();
    await send(device, SELECT);
    expect((await send(device, `0082000008${tdesEcb(MCK, random).toString('hex')}`)).sw).toBe('6985');
  });

  it('wrong P1, unknown key, wrong length, wrong class', async () => {
    const device = await wallet();
    const rest = '08'.padEnd(18, '0');
    expect((await send(device, `00820100${rest}`)).sw).toBe('6A86');
    expect((await send(device, `00820001${rest}`)).sw).toBe('6A88');
    expect((await send(device, '008200000700000000000000')).sw).toBe('6700');
    expect((await send(device, `80820000${rest}`)).sw).toBe('6E00');
  });

  it('takes an 8-byte key with single DES', async () => {
    const key = Buffer.from('0102030405060708', 'hex');
    const device = await wallet((app) => {
      const [slot] = app.keys;
      if (slot) slot.value = key.toString('hex').toUpperCase();
    });
    expect(await authenticate(device, key)).toBe('9000');
    const next = Buffer.from('1112131415161718', 'hex');
    const content = record(0xf9, next);
    const plain = Buffer.concat([Buffer.of(0x0d), content, Buffer.of(0x80, 0x00)]);
    const command = writeKeyCommand(key, await challenge(device), 0x39, content, plain);
    expect(command).toMatch(/^84d4390014/);
    expect((await send(device, command)).sw).toBe('9000');
    expect(await authenticate(device, next)).toBe('9000');
  });
});

describe('WRITE KEY', () => {
  const ready = async (change?: (app: FmcosState) => void) => {
    const device = await wallet(change);
    await authenticate(device, MCK);
    return device;
  };
  const unchanged = async (device: VirtualCard, command: string, expected: string) => {
    const before = JSON.stringify(device.image);
    expect((await send(device, command)).sw).toBe(expected);
    expect(JSON.stringify(device.image)).toBe(before);
  };

  it('needs the change right: state A', async () => {
    const device = await wallet();
    expect(await writeKey(device, MCK, 0x36, record(0xf6, NEW_MTK))).toBe('6982');
    await authenticate(device, MCK);
    await send(device, SELECT);
    expect(await writeKey(device, MCK, 0x36, record(0xf6, NEW_MTK))).toBe('6982');
  });

  it('rewrites the whole header', async () => {
    const device = await ready();
    expect(await writeKey(device, MCK, 0x39, record(0xf9, NEW_MCK, 'F0FFBB55'))).toBe('9000');
    expect(state(device).keys[0]).toMatchObject({
      inside: 0xf9,
      changeRight: 0xff,
      nextState: 0xbb,
      counter: 0x55,
    });
    expect(await authenticate(device, WRONG)).toBe('63C4');
    expect(await authenticate(device, NEW_MCK)).toBe('9000');
    // State B now, and this key may be changed in state F only: the app is at its end.
    expect(await writeKey(device, NEW_MCK, 0x39, record(0xf9, MCK))).toBe('6982');
  });

  it('6988 for a wrong MAC, however often; it locks nothing', async () => {
    const device = await ready();
    for (let i = 0; i < 5; i += 1)
      expect(await writeKey(device, WRONG, 0x36, record(0xf6, NEW_MTK))).toBe('6988');
    expect(await writeKey(device, MCK, 0x36, record(0xf6, NEW_MTK))).toBe('9000');
  });

  it('6985 without a challenge', async () => {
    const device = await ready();
    await unchanged(device, writeKeyCommand(MCK, Buffer.alloc(8), 0x36, record(0xf6, NEW_MTK)), '6985');
  });

  const damagedPlain: [string, Buffer][] = [
    ['another length byte', Buffer.concat([Buffer.of(0x14), record(0xf6, NEW_MTK), Buffer.of(0x80, 0)])],
    ['no padding', Buffer.concat([Buffer.of(0x15), record(0xf6, NEW_MTK), Buffer.of(0, 0)])],
    ['wrong padding', Buffer.concat([Buffer.of(0x15), record(0xf6, NEW_MTK), Buffer.of(0x80, 1)])],
  ];
  it.each(damagedPlain)('6283 for a plaintext with %s', async (_name, plain) => {
    const device = await ready();
    await unchanged(
      device,
      writeKeyCommand(MCK, await challenge(device), 0x36, record(0xf6, NEW_MTK), plain),
      '6283',
    );
  });

  it('6A80 for another type inside, 6A88 for an unknown slot, 6700 for a wrong length', async () => {
    const device = await ready();
    await unchanged(
      device,
      writeKeyCommand(MCK, await challenge(device), 0x36, record(0xf9, NEW_MTK)),
      '6A80',
    );
    await unchanged(
      device,
      writeKeyCommand(MCK, await challenge(device), 0x3a, record(0xfa, NEW_MTK)),
      '6A88',
    );
    await unchanged(device, `84d4360014${'00'.repeat(20)}`, '6700');
  });

  it('6987 in clear for a protected key, 6982 for adding one', async () => {
    const device = await ready();
    await unchanged(device, `80d4360016${'15'}${record(0xf6, NEW_MTK).toString('hex')}`, '6987');
    await unchanged(device, `80d4010115${record(0x39, NEW_MTK).toString('hex')}`, '6982');
  });

  it('a type without C0 is taken, and opens the slot to writes in clear', async () => {
    const device = await ready();
    expect(await writeKey(device, MCK, 0x36, record(0x36, NEW_MTK))).toBe('9000');
    expect((await send(device, `80d436001615${record(0x36, MTK).toString('hex')}`)).sw).toBe('9000');
    expect(await update(device, MTK, 8, '01')).toBe('9000');
  });

  it('6283 under and over a damaged key', async () => {
    const device = await wallet((app) => {
      const [, slot] = app.keys;
      if (slot) slot.damaged = true;
    });
    expect(await update(device, MTK, 8, '01')).toBe('6283');
    expect(await authenticate(device, MCK)).toBe('9000');
    expect(await writeKey(device, MCK, 0x36, record(0xf6, NEW_MTK))).toBe('6283');
  });
});

const MCK = cardKey(MASTERS.apps['e-wallet'].mck, CODE);
const MTK = cardKey(MASTERS.apps['e-wallet'].mtk, CODE);
const NEW_MTK = Buffer.from('B0B1B2B3B4B5B6B7B8B9BABBBCBDBEBF', 'hex');
const SELECT = `00A4040009${WALLET}00`;

const NEW_MCK = Buffer.from('A0A1A2A3A4A5A6A7A8A9AAABACADAEAF', 'hex');

const WRONG = Buffer.alloc(16, 0x5a);

async function wallet(change?: (state: FmcosState) => void): Promise<VirtualCard> {
  const device = card({ balances: { 'e-wallet': 123_456 } }, (image) => {
    const applet = image.instances.find(({ aid }) => aid === WALLET)?.applet;
    if (applet?.kind === 'fmcos') change?.(applet);
  });
  expect((await send(device, SELECT)).sw).toBe('9000');
  return device;
}

function state(device: VirtualCard): FmcosState {
  const applet = device.image.instances.find(({ aid }) => aid === WALLET)?.applet;
  if (applet?.kind !== 'fmcos') throw new Error('no FMCOS app');
  return applet;
}
