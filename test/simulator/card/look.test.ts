/** What a card says without keys. */
import { describe, expect, it } from 'vitest';
import { CODE, card, isdKeys, openChannel, send, WALLET } from './host.ts';

describe('SELECT', () => {
  it.each([
    ['no AID', '00A4040000'],
    ['its whole AID', '00A4040008A00000015100000000'],
    ['part of its AID', '00A4040005A00000015100'],
    ['no Le', '00A4040008A000000151000000'],
  ])('the domain by %s', async (_name, command) => {
    const answer = await send(card(), command);
    expect(answer.sw).toBe('9000');
    expect(answer.data).toMatch(/^6F[0-9A-F]{2}8408A000000151000000A5.*9F6501FF$/);
  });

  it('an app by whole and partial AID, and the next that fits', async () => {
    const device = card();
    expect(await send(device, `00A4040009${WALLET}00`)).toEqual({
      data: `6F0D8409${WALLET}A500`,
      sw: '9000',
    });
    const first = await send(device, '00A4040005F04B41494B00');
    const second = await send(device, '00A4040205F04B41494B00');
    const third = await send(device, '00A4040205F04B41494B00');
    expect([first.data, second.data, third.data].map((data) => data.slice(8, 26))).toEqual([
      'F04B41494B41010001',
      'F04B41494B41020001',
      'F04B41494B41040001',
    ]);
    expect((await send(device, '00A4040205F04B41494B00')).sw).toBe('6A82');
  });

  it('refuses what is not there, and keeps what was selected', async () => {
    const device = card();
    await send(device, `00A4040009${WALLET}00`);
    expect((await send(device, '00A4040009F04B41494B4103000100')).sw).toBe('6A82');
    expect((await send(device, '00B095001E')).sw).toBe('9000');
  });

  it('does not see what has no instance; a package AID finds its instance as a partial one', async () => {
    expect((await send(card(), '00A4040009F04B41494B41030001')).sw).toBe('6A82');
    expect((await send(card(), '00A4040008F04B41494B410100')).sw).toBe('9000');
  });
});

describe('GET DATA', () => {
  it.each(GET_DATA)('%s outside a session, CLA 80 and 00', async (tag, expected) => {
    const device = card();
    expect(await send(device, `80CA${tag}00`)).toEqual({ data: expected, sw: '9000' });
    expect(await send(device, `00CA${tag}00`)).toEqual({ data: expected, sw: '9000' });
  });

  it.each(GET_DATA.filter(([tag]) => tag !== '00C1'))(
    '%s wrapped inside a session',
    async (tag, expected) => {
      const device = card();
      const channel = await openChannel(device, isdKeys(device.image), { level: 0x33 });
      expect(await channel.send(`80CA${tag}00`)).toEqual({ data: expected, sw: '9000' });
    },
  );

  it('counts sessions in 00C1', async () => {
    const device = card();
    await openChannel(device, isdKeys(device.image));
    device.reset();
    expect((await send(device, '80CA00C100')).data).toBe('C103000001');
    const older = card({ type: 'demo-scp02' });
    expect((await send(older, '80CA00C100')).data).toBe('C1020000');
    expect((await send(older, '80CA00E000')).data).toBe('E012C00401018010C00402018010C00403018010');
  });

  it('names SCP02 i=55 on the older type', async () => {
    const data = (await send(card({ type: 'demo-scp02' }), '80CA006600')).data;
    expect(data).toContain('2A864886FC6B040255');
  });

  it('wrong Le, unknown object, unknown instruction, wrong class', async () => {
    const device = card();
    expect((await send(device, '80CA004505')).sw).toBe('6C0A');
    expect((await send(device, '80CA123400')).sw).toBe('6A88');
    expect((await send(device, '8012000000')).sw).toBe('6D00');
    expect((await send(device, '90CA004500')).sw).toBe('6E00');
    expect((await send(device, '81CA004500')).sw).toBe('6881');
    expect((await send(device, '80CA00')).sw).toBe('6700');
    expect((await send(device, '80CA004500000100')).sw).toBe('6700');
  });
});

describe('the list of applications (GPC 2.3.1 §11.3.2)', () => {
  const wanted = [WALLET, 'F04B41494B41020001', 'F04B41494B41040001'].map((aid) => `610B4F09${aid}`).join('');

  it.each(['80CA2F00025C0000', '00CA2F00025C0000', '00CB2F00025C0000'])('%s', async (command) => {
    expect(await send(card(), command)).toEqual({ data: wanted, sw: '9000' });
  });

  it('is the only thing there is under the odd instruction, which is of class 00', async () => {
    expect((await send(card(), '00CB9F7F025C0000')).sw).toBe('6A88');
    expect((await send(card(), '80CB2F00025C0000')).sw).toBe('6D00');
  });

  it('leaves room for the protection of the answer', async () => {
    const device = card({}, (image) => {
      const [first] = image.instances;
      if (first === undefined) throw new TypeError('no app');
      for (let i = 0; i < 30; i += 1)
        image.instances.push({
          ...first,
          aid: `F04B41494B42${i.toString(16).padStart(4, '0').toUpperCase()}`,
        });
    });
    for (const level of [0x13, 0x33]) {
      const channel = await openChannel(device, isdKeys(device.image), { level });
      const whole = await device.transmit(channel.wrap('80CA2F00025C0000'));
      expect(whole.length).toBeLessThanOrEqual(258);
      const { data, sw } = channel.unwrap(whole);
      expect(sw).toBe('9000');
      expect(data).toContain(wanted);
      expect(data).toMatch(/^(?:61..4F..(?:..){8,9})+$/);
    }
  });
});

const GET_DATA = [
  ['9F7F', `9F7F2A4B414B44${'00'.repeat(8)}56789012${'00'.repeat(26)}`],
  ['0042', '42084B41494B41000000'],
  ['0045', `4508${CODE}`],
  [
    '0066',
    '6631732F06072A864886FC6B01600C060A2A864886FC6B02020301630906072A864886FC6B03640B06092A864886FC6B040370',
  ],
  ['00E0', 'E012C00401018810C00402018810C00403018810'],
  ['00CF', `CF0A0000${CODE}`],
  ['00C1', 'C103000000'],
  ['FF21', 'FF210F810103820400013880830400001000'],
] as const;
