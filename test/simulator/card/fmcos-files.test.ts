/** The public file and the balance of an app in the FMCOS dialect. */
import { describe, expect, it } from 'vitest';
import type { FmcosState } from '../../../app/simulator/image.ts';
import { mac, updateCommand } from './fmcos-host.ts';
import { CODE, card, cardKey, challenge, MASTERS, send, update, type VirtualCard, WALLET } from './host.ts';

describe('the public file', () => {
  it('is read whole, in part, and not beyond its end', async () => {
    const device = await wallet();
    expect((await send(device, '00B0950008')).data).toBe('4B41494B41000000');
    expect((await send(device, '00B0951C00')).data).toBe('0000');
    expect((await send(device, '00B0951C03')).sw).toBe('6C02');
    expect((await send(device, '00B0951E01')).sw).toBe('6B00');
    expect((await send(device, '00B0960001')).sw).toBe('6A82');
    expect((await send(device, '00B0000001')).sw).toBe('6986');
    expect((await send(device, '00B09500')).sw).toBe('6700');
  });

  it('three wrong MACs in a row lock the application for good; two and a good one do not', async () => {
    const device = await wallet();
    for (const key of [WRONG, WRONG]) expect(await update(device, key, 8, '01')).toBe('9302');
    expect(await update(device, MTK, 8, '00')).toBe('9000');
    for (const key of [WRONG, WRONG, WRONG]) expect(await update(device, key, 8, '01')).toBe('9302');
    for (const command of ['00B095001E', '0084000004', '805C000204', '00FF000000'])
      expect((await send(device, command)).sw).toBe('9303');
    device.reset();
    expect((await send(device, SELECT)).sw).toBe('9000');
    expect((await send(device, '00B095001E')).sw).toBe('9303');
  });

  it('the count outlives reset and a new key', async () => {
    const device = await wallet();
    await update(device, WRONG, 8, '01');
    await update(device, WRONG, 8, '01');
    device.reset();
    await send(device, SELECT);
    expect(await update(device, WRONG, 8, '01')).toBe('9302');
    expect((await send(device, '00B095001E')).sw).toBe('9303');
  });

  it('refuses what is not MACed or does not fit, without counting', async () => {
    const device = await wallet();
    expect((await send(device, '00D695080101')).sw).toBe('6987');
    expect((await send(device, '04D695080400000000')).sw).toBe('6700');
    expect((await send(device, updateCommand(MTK, await challenge(device), 29, Buffer.alloc(2)))).sw).toBe(
      '6B00',
    );
    expect((await send(device, updateCommand(MTK, Buffer.alloc(8), 8, Buffer.of(1)))).sw).toBe('6985');
    expect(state(device).files[0]?.macFailures).toBe(0);
  });

  it('a MAC covers header and data', async () => {
    const device = await wallet();
    const random = await challenge(device);
    const data = Buffer.of(1);
    const elsewhere = mac(MTK, random, '04d69509', data).toString('hex');
    expect((await send(device, `04d695080501${elsewhere}`)).sw).toBe('9302');
  });
});

describe('GET BALANCE', () => {
  it('of a purse, free', async () => {
    const device = await wallet();
    expect(await send(device, '805C000204')).toEqual({ data: '0001E240', sw: '9000' });
    expect((await send(device, '805C000104')).sw).toBe('6A86');
    expect((await send(device, '805C000205')).sw).toBe('6700');
  });

  it('6D00 of an app that is none', async () => {
    const device = card();
    await send(device, '00A4040009F04B41494B4102000100');
    expect((await send(device, '805C000204')).sw).toBe('6D00');
  });
});

const MTK = cardKey(MASTERS.apps['e-wallet'].mtk, CODE);

const WRONG = Buffer.alloc(16, 0x5a);

const SELECT = `00A4040009${WALLET}00`;

async function wallet(): Promise<VirtualCard> {
  const device = card({ balances: { 'e-wallet': 123_456 } });
  expect((await send(device, SELECT)).sw).toBe('9000');
  return device;
}

function state(device: VirtualCard): FmcosState {
  const applet = device.image.instances.find(({ aid }) => aid === WALLET)?.applet;
  if (applet?.kind !== 'fmcos') throw new Error('no FMCOS app');
  return applet;
}
