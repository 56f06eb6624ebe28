/** Opening, using and losing a secure channel. */
import { describe, expect, it } from 'vitest';
import { card, isdKeys, openChannel, send, type VirtualCard, WALLET } from './host.ts';

describe.each(options())('$type with i = $i', ({ type, i, levels }) => {
  const spec = { type, protocolOption: i };

  it.each(levels)('works at security level %i, with and without Le', async (level) => {
    for (const le of [false, true]) {
      const device = card(spec);
      const channel = await openChannel(device, isdKeys(device.image), { level, le, icv: (i & 0x10) !== 0 });
      const listed = await channel.send(LIST);
      expect(listed.sw).toBe('9000');
      expect(listed.data).toContain(WALLET);
      expect((await channel.send('80CA004500')).data).toBe('45086200123456789012');
      expect((await channel.send('80E4000007 4F05F0000000FF 00')).sw).toBe('6A88');
      expect((await channel.send(LIST)).data).toBe(listed.data);
    }
  });

  it('refuses every other level without counting it', async () => {
    const wrong = [0x00, 0x01, 0x02, 0x03, 0x10, 0x11, 0x13, 0x30, 0x31, 0x33].filter(
      (l) => !levels.includes(l),
    );
    const device = card(spec);
    for (const level of wrong)
      await expect(openChannel(device, isdKeys(device.image), { level })).rejects.toThrow('6A86');
    expect(device.image.domain.failedAuthentications).toBe(0);
  });
});

describe('challenges and sequence counter', () => {
  it('SCP02: predictable, and move on success only', async () => {
    const device = card({ type: 'demo-scp02' });
    const begin = async () => (await send(device, '80500000080102030405060708')).data;
    const first = await begin();
    expect(await begin()).toBe(first);
    await openChannel(device, isdKeys(device.image));
    expect(await begin()).not.toBe(first);
  });

  it('SCP03: counted up with each challenge (Amendment D §6.2.2.1), and without power too', async () => {
    const device = card();
    const counter = async () => (await send(device, '80500000080102030405060708')).data.slice(-6);
    expect(await counter()).toBe('000001');
    expect(await counter()).toBe('000002');
    device.powerOff();
    device.powerOn();
    await openChannel(device, isdKeys(device.image));
    expect(await counter()).toBe('000004');
  });

  it.each([
    ['demo-scp02', 0xffff],
    ['demo-scp03', 0xffffff],
  ] as const)('%s: the counter ends and does not begin again', async (type, end) => {
    const device = card({ type }, (image) => {
      for (const set of image.domain.keySets) set.sequenceCounter = end;
    });
    expect((await send(device, '80500000080102030405060708')).sw).toBe('6985');
  });

  it.each([
    ['demo-scp02', 0x15],
    ['demo-scp03', 0x60],
  ] as const)('%s with i = %i: random', async (type, protocolOption) => {
    const device = card({ type, protocolOption });
    const begin = async () => (await send(device, '80500000080102030405060708')).data;
    expect(await begin()).not.toBe(await begin());
  });

  it('answers with key version, protocol and lengths of the standard', async () => {
    const begin = async (type: 'demo-scp02' | 'demo-scp03') =>
      (await send(card({ type }), '80500100080102030405060708')).data;
    expect(await begin('demo-scp02')).toMatch(/^0000620012345678901201020000[0-9A-F]{28}$/);
    expect(await begin('demo-scp03')).toMatch(/^00006200123456789012010370[0-9A-F]{32}000001$/);
  });
});

describe('what ends a channel', () => {
  const open = async (level = 0x01): Promise<[VirtualCard, Awaited<ReturnType<typeof openChannel>>]> => {
    const device = card();
    return [device, await openChannel(device, isdKeys(device.image), { level })];
  };

  it('reset', async () => {
    const [device, channel] = await open();
    device.reset();
    expect((await channel.send(LIST)).sw).toBe('6982');
  });

  it('power', async () => {
    const [device, channel] = await open();
    device.powerOff();
    device.powerOn();
    expect((await channel.send(LIST)).sw).toBe('6982');
  });

  it('SELECT of an application, but not of one that is not there', async () => {
    const [device, channel] = await open();
    expect((await send(device, '00A4040009F04B41494B4103000100')).sw).toBe('6A82');
    expect((await channel.send(LIST)).sw).toBe('9000');
    await send(device, `00A4040009${WALLET}00`);
    await send(device, '00A4040000');
    expect((await channel.send(LIST)).sw).toBe('6982');
  });

  it('a wrong MAC', async () => {
    const [device, channel] = await open();
    const command = channel.wrap(LIST);
    command[command.length - 2] = (command[command.length - 2] ?? 0) ^ 1;
    expect((await send(device, command.toString('hex'))).sw).toBe('6982');
    expect((await channel.send(LIST)).sw).toBe('6982');
  });

  it('a command sent twice', async () => {
    const [device, channel] = await open();
    const command = channel.wrap(LIST).toString('hex');
    expect((await send(device, command)).sw).toBe('9000');
    expect((await send(device, command)).sw).toBe('6982');
  });

  it('a command without its MAC', async () => {
    const [device, channel] = await open();
    expect((await send(device, LIST)).sw).toBe('6982');
    expect((await channel.send(LIST)).sw).toBe('6982');
  });

  it('a wrong MAC where none was agreed', async () => {
    const [device, channel] = await open(0x00);
    expect((await send(device, '84F240000A4F000102030405060708')).sw).toBe('6982');
    expect((await channel.send(LIST)).sw).toBe('6982');
  });

  it('management without a session is refused', async () => {
    const device = card();
    for (const command of [
      LIST,
      '80E600000100',
      '80E8000001C4',
      '80E40000074F05F000000001',
      '80D8008101010',
      '80F080FF',
    ])
      expect((await send(device, command.length % 2 ? `${command}0` : command)).sw).toBe('6982');
  });
});

describe('more security than was agreed (GPC 2.3.1 §E.1.6, Amendment D §5.6)', () => {
  it.each([
    { type: 'demo-scp02', protocolOption: 0x15, level: 0x00 },
    { type: 'demo-scp02', protocolOption: 0x05, level: 0x00 },
    { type: 'demo-scp02', protocolOption: 0x35, level: 0x10 },
    { type: 'demo-scp03', protocolOption: 0x70, level: 0x00 },
  ] as const)('$type, i = $protocolOption, level $level: C-MACs are checked', async ({ level, ...spec }) => {
    const device = card(spec);
    const icv = (spec.protocolOption & 0x10) !== 0;
    const channel = await openChannel(device, isdKeys(device.image), { level, icv, exceed: true });
    for (let i = 0; i < 2; i += 1) expect((await channel.send(LIST)).data).toContain(WALLET);
    const torn = channel.wrap(LIST);
    torn[torn.length - 2] = (torn[torn.length - 2] ?? 0) ^ 1;
    expect((await send(device, torn.toString('hex'))).sw).toBe('6982');
  });
});

describe('failed authentications', () => {
  const wrong = (device: VirtualCard) => openChannelWith(device, `8482010010${'00'.repeat(16)}`);
  async function openChannelWith(device: VirtualCard, authenticate: string) {
    await send(device, '80500000080102030405060708');
    return (await send(device, authenticate)).sw;
  }

  it.each(['demo-scp02', 'demo-scp03'] as const)('%s: locked for good after ten in a row', async (type) => {
    const device = card({ type });
    for (let i = 0; i < 10; i += 1) expect(await wrong(device)).toBe('6300');
    expect((await send(device, '80500000080102030405060708')).sw).toBe('6983');
    device.reset();
    await expect(openChannel(device, isdKeys(device.image))).rejects.toThrow('6983');
    expect((await send(device, '80CA004500')).sw).toBe('9000');
  });

  it('nine, a success, and nine more lock nothing', async () => {
    const device = card();
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 9; i += 1) await wrong(device);
      await openChannel(device, isdKeys(device.image));
    }
  });

  it('a right cryptogram with a wrong MAC counts too', async () => {
    const device = card();
    const keys = isdKeys(device.image);
    const tampered = {
      ...proxy(device),
      transmit: (command: Uint8Array) => {
        const bytes = Buffer.from(command);
        if (bytes[1] === 0x82) bytes[20] = (bytes[20] ?? 0) ^ 1;
        return device.transmit(bytes);
      },
    };
    await expect(openChannel(tampered, keys)).rejects.toThrow('6982');
    expect(device.image.domain.failedAuthentications).toBe(1);
  });

  it('EXTERNAL AUTHENTICATE needs INITIALIZE UPDATE directly before it', async () => {
    const device = card();
    expect((await send(device, `8482010010${'00'.repeat(16)}`)).sw).toBe('6985');
    await send(device, '80500000080102030405060708');
    await send(device, '80CA004500');
    expect((await send(device, `8482010010${'00'.repeat(16)}`)).sw).toBe('6985');
    expect(device.image.domain.failedAuthentications).toBe(0);
  });

  it('INITIALIZE UPDATE: unknown version, wrong length, wrong P2', async () => {
    const device = card();
    expect((await send(device, '80507700080102030405060708')).sw).toBe('6A88');
    expect((await send(device, '805000000701020304050607')).sw).toBe('6700');
    expect((await send(device, '80500001080102030405060708')).sw).toBe('6A86');
  });
});

function proxy(device: VirtualCard) {
  return {
    atr: device.atr,
    powerOn: () => device.powerOn(),
    powerOff: () => device.powerOff(),
    reset: () => device.reset(),
  };
}

const LIST = '80F24000024F0000';

/** Every option i, and the security levels that it has. */
function options() {
  const scp02 = [0x00, 0x01, 0x03, 0x10, 0x11, 0x13];
  const scp03 = [0x00, 0x01, 0x03, 0x11, 0x13, 0x33];

  return [
    ...[0x05, 0x15, 0x45, 0x55].map((i) => ({ type: 'demo-scp02', i, levels: scp02.slice(0, 3) }) as const),
    ...[0x25, 0x35, 0x65, 0x75].map((i) => ({ type: 'demo-scp02', i, levels: scp02 }) as const),
    { type: 'demo-scp03', i: 0x00, levels: scp03.slice(0, 3) } as const,
    { type: 'demo-scp03', i: 0x30, levels: scp03.slice(0, 5) } as const,
    ...[0x60, 0x70].map((i) => ({ type: 'demo-scp03', i, levels: scp03 }) as const),
  ];
}
