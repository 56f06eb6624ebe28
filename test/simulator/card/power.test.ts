/** Power lost at every command, before, during and after; and what tearing leaves. */
import { describe, expect, it } from 'vitest';
import type { TearMoment } from '../../../app/simulator/fault.ts';
import { countingTrace, tracedDevice } from '../../support/simulator/trace.ts';
import { loadBlocks, sendAll } from './content-host.ts';
import { CODE, capFile, card, isdKeys, MASTERS, MEAL, MEAL_PACKAGE, WALLET } from './fixtures.ts';
import { authenticate, cardKey, record, update, writeKey } from './fmcos-host.ts';
import { install, installForLoad, openChannel, PowerLost, send, TearingDevice, VirtualCard } from './host.ts';

const MCK = cardKey(MASTERS.apps['e-wallet'].mck, CODE);
const NEW_MCK = Buffer.alloc(16, 0xa1);
const NEW_MTK = Buffer.alloc(16, 0xb2);

const wholeJob = await images();
const commands = Array.from({ length: wholeJob.length - 1 }, (_, i) => i + 1);

it('the job has the commands it should, and changes the card step by step', () => {
  expect(commands).toHaveLength(COUNT);
  expect(new Set(wholeJob).size).toBeGreaterThanOrEqual(6);
});

describe.each(commands)('power lost at command %i', (at) => {
  it.each([
    ['before', undefined, 0],
    ['during', 'lost', 0],
    ['during', 'kept', 1],
    ['after', undefined, 1],
  ] as const)('%s (%s)', async (when, commit, happened) => {
    const device = card();
    let torn = 0;
    const plan = { at, when, onTorn: () => (torn += 1) };
    const tearing = new TearingDevice(device, commit === undefined ? plan : { ...plan, commit });
    await expect(job(tearing)).rejects.toThrow(PowerLost);
    expect(torn).toBe(1);
    expect(JSON.stringify(device.image)).toBe(wholeJob[at - 1 + happened]);
    await expect(tearing.transmit(Uint8Array.of(0, 0xa4, 4, 0, 0))).rejects.toThrow(PowerLost);
    tearing.powerOn();
    expect((await send(tearing, '00A4040000')).sw).toBe('9000');
    const { memory, packages, instances } = device.image;
    const used = packages.reduce((sum, { size }) => sum + size, 0) + 2048 * instances.length;
    const free = (await send(tearing, '80CAFF2100')).data;
    expect(free).toContain(`8204${(memory.nonVolatile - used).toString(16).padStart(8, '0').toUpperCase()}`);
  });
});

describe('a card whose WRITE KEY is not atomic', () => {
  const torn = async (at: number, when: TearMoment) => {
    const device = card({ keyWriteAtomic: false });
    await expect(job(new TearingDevice(device, { at, ins: 0xd4, when }))).rejects.toThrow(PowerLost);
    device.powerOn();
    await send(device, `00A4040009${WALLET}00`);
    const applet = device.image.instances.find(({ aid }) => aid === WALLET)?.applet;
    const keys = applet?.kind === 'fmcos' ? applet.keys : [];
    return { device, damaged: keys.map((slot) => slot.damaged) };
  };

  it('loses the maintenance key', async () => {
    const { device, damaged } = await torn(1, 'during');
    expect(damaged).toEqual([false, true]);
    expect(await update(device, NEW_MTK, 8, '01')).toBe('6283');
    expect(await authenticate(device, MCK)).toBe('9000');
  });

  it('loses the master control key', async () => {
    const { device, damaged } = await torn(2, 'during');
    expect(damaged).toEqual([true, false]);
    expect(await authenticate(device, MCK)).toBe('6283');
    expect(await authenticate(device, NEW_MCK)).toBe('6283');
  });

  it.each(['before', 'after'] as const)('loses nothing when power goes %s', async (when) => {
    expect((await torn(1, when)).damaged).toEqual([false, false]);
  });
});

describe('memory found full', () => {
  it('at a chosen LOAD; the channel goes on and the load can be made again', async () => {
    const device = card();
    const full = new TearingDevice(device, { at: 2, ins: 0xe8, scripted: 'memoryFull' });
    const channel = await openChannel(full, isdKeys(device.image));
    const steps = [installForLoad(MEAL_PACKAGE), ...loadBlocks(capFile(MEAL_PACKAGE, [MEAL], 700))];
    expect(await sendAll(channel, steps)).toBe('6A84');
    expect(full.struck).toBe(true);
    expect(await sendAll(channel, steps)).toBe('9000');
  });
});

describe('power and time', () => {
  const select = Uint8Array.of(0x00, 0xa4, 0x04, 0x00, 0x00);

  it.each(['powerOff', 'reset'] as const)(
    '%s: the domain is selected again, nothing of the app is left',
    async (event) => {
      const device = card();
      await send(device, `00A4040009${WALLET}00`);
      await authenticate(device, MCK);
      device[event]();
      device.powerOn();
      expect((await send(device, '00B095001E')).sw).toBe('6D00');
      expect((await send(device, '80CA004500')).sw).toBe('9000');
      await send(device, `00A4040009${WALLET}00`);
      expect(await writeKey(device, MCK, 0x36, record(0xf6, NEW_MTK))).toBe('6982');
    },
  );

  it('is off until turned on', async () => {
    const device = new VirtualCard(card().image);
    await expect(device.transmit(select)).rejects.toThrow(PowerLost);
    device.powerOn();
    expect(await device.transmit(select)).not.toHaveLength(0);
  });

  it.each(['powerOff', 'reset'] as const)('%s during a command leaves it without answer', async (event) => {
    const device = new VirtualCard(card().image, { latency: { apdu: 40, load: 40 } });
    device.powerOn();
    const answer = device.transmit(select);
    device[event]();
    device.powerOn();
    await expect(answer).rejects.toThrow(PowerLost);
    expect((await device.transmit(select)).length).toBeGreaterThan(2);
  });

  it('takes as long as it is told, LOAD longer', async () => {
    const device = new VirtualCard(card().image, { latency: { apdu: 20, load: 60 } });
    device.powerOn();
    const took = async (command: Uint8Array) => {
      const start = performance.now();
      await device.transmit(command);
      return performance.now() - start;
    };
    expect(await took(select)).toBeGreaterThanOrEqual(19);
    expect(await took(Uint8Array.of(0x80, 0xe8, 0, 0, 1, 0))).toBeGreaterThanOrEqual(59);
  });

  it('answers overlapping commands in order', async () => {
    const device = card();
    await send(device, `00A4040009${WALLET}00`);
    const [random, file] = await Promise.all([send(device, '0084000004'), send(device, '00B0950001')]);
    expect([random.data.length, file.data]).toEqual([8, '4B']);
  });
});

describe('the trace', () => {
  it('tells INS and status word, and nothing else', async () => {
    const trace = countingTrace();
    const device = tracedDevice(new TearingDevice(card(), { at: 3, when: 'after' }), trace.observe);
    await send(device, `00A4040009${WALLET}00`);
    await send(device, '0084000004');
    await expect(send(device, '00B095001E')).rejects.toThrow(PowerLost);
    expect(trace.commands).toEqual([
      { index: 1, ins: 0xa4, sw: 0x9000 },
      { index: 2, ins: 0x84, sw: 0x9000 },
      { index: 3, ins: 0xb0 },
    ]);
    expect([trace.count(), trace.count(0x84)]).toEqual([3, 1]);
  });
});

/** A whole job: load and install an app, enable another. */
async function job(device: Parameters<typeof send>[0]): Promise<void> {
  const channel = await openChannel(device, isdKeys(card().image), { level: 0x03 });
  const file = capFile(MEAL_PACKAGE, [MEAL], 700);
  const sw = await sendAll(channel, [
    installForLoad(MEAL_PACKAGE),
    ...loadBlocks(file),
    install(0x0c, MEAL_PACKAGE, MEAL, MEAL),
  ]);
  expect(sw).toBe('9000');
  await send(device, `00A4040009${WALLET}00`);
  expect(await authenticate(device, MCK)).toBe('9000');
  expect(await writeKey(device, MCK, 0x36, record(0xf6, NEW_MTK))).toBe('9000');
  expect(await writeKey(device, MCK, 0x39, record(0xf9, NEW_MCK))).toBe('9000');
  expect(await update(device, NEW_MTK, 8, '01')).toBe('9000');
}

/** Images before and after each command of the whole job. */
async function images(): Promise<string[]> {
  const device = card();
  const seen = [JSON.stringify(device.image)];
  await job(
    tracedDevice(device, () => {
      seen.push(JSON.stringify(device.image));
    }),
  );
  return seen;
}

/** Channel 2, load and install 7, select 1, authenticate 2, two keys 4, file 2. */
const COUNT = 18;
