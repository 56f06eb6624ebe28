/** SCP03 in all its options, key lengths and both modes, S8 and S16 (Amendment D 1.1.1, 1.2). */
import { describe, expect, it } from 'vitest';
import { DEFAULT_KEYS, openChannel, send, shopCard } from './host.ts';

const S8 = '0102030405060708';
const S16 = '0102030405060708090A0B0C0D0E0F10';

describe.each(modes())('i = $i', ({ i, levels, hostChallenge }) => {
  it.each([16, 24, 32])('%i-byte keys at every level', async (length) => {
    const [enc, mac, dek] = [key(length), key(length).reverse(), key(length).fill(0x33, 4)];
    for (const level of levels) {
      const keys = { enc: text(enc), mac: text(mac), dek: text(dek) };
      const device = shopCard('shop-scp03', { i, keys });
      const channel = await openChannel(device, { enc, mac, dek }, { level, hostChallenge });
      // All four cases of a command: nothing, answer, data, both.
      expect((await channel.send('80F0800F')).sw).toBe('9000');
      expect((await channel.send('80CA004500')).data).toBe('45086200123456789012');
      expect((await channel.send('80E280000642041234ABCD')).sw).toBe('9000');
      expect((await channel.send('80F22002024F0000')).data).toContain('A0000001515350');
      expect((await channel.send('80F24002024F0000')).sw).toBe('6A88');
      expect((await channel.send('80CA004200')).data).toBe('42041234ABCD');
    }
  });

  it('answers with the lengths of its mode, and refuses those of the other', async () => {
    const device = shopCard('shop-scp03', { i });
    const other = hostChallenge === S8 ? `10${S16}` : `08${S8}`;
    expect((await send(device, `80500000${other}00`)).sw).toBe('6700');
    const n = hostChallenge.length / 2;
    const lc = n.toString(16).padStart(2, '0');
    const { data } = await send(device, `80500000${lc}${hostChallenge}00`);
    const counter = (i & 0x10) === 0 ? 0 : 3;
    expect(data).toHaveLength(2 * (13 + 2 * n + counter));
    expect((await send(device, `8482010010${'00'.repeat(16)}`)).sw).toBe(n === 8 ? '6300' : '6700');
  });
});

it('S16: a MAC cut to eight bytes is wrong', async () => {
  const device = shopCard('shop-scp03', { i: 0x71 });
  const channel = await openChannel(device, DEFAULT_KEYS, { hostChallenge: S16 });
  const command = channel.wrap('80F22002024F0000');
  const short = Buffer.concat([command.subarray(0, 4), Buffer.of(0x0a), command.subarray(5, 15)]);
  expect((await send(device, short.toString('hex'))).sw).toBe('6982');
});

const key = (bytes: number) =>
  Uint8Array.from({ length: bytes }, (_, i) => 0x40 + (i % 16)) as Uint8Array<ArrayBuffer>;

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').toUpperCase();

/** Every option i in both modes, and the security levels that it has. */
function modes() {
  const levelsOf = {
    0: [0x00, 0x01, 0x03],
    16: [0x00, 0x01, 0x03],
    32: [0x00, 0x01, 0x03, 0x11, 0x13],
    48: [0x00, 0x01, 0x03, 0x11, 0x13],
    96: [0x00, 0x01, 0x03, 0x11, 0x13, 0x33],
    112: [0x00, 0x01, 0x03, 0x11, 0x13, 0x33],
  };
  return Object.entries(levelsOf).flatMap(([option, levels]) =>
    [0x00, 0x01].map((mode) => ({ i: Number(option) | mode, levels, hostChallenge: mode ? S16 : S8 })),
  );
}
