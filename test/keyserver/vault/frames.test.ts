/** Messages over the vault's socket: bytes of every kind come back, in whatever pieces, and nonsense is refused. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { encodeFrame, FrameError, FrameReader } from '../../../app/keyserver/vault/frames.ts';

describe('a frame', () => {
  test('gives back what was put in, bytes as bytes, whether they are a Buffer or not', () => {
    const [read] = new FrameReader(LONGEST).take(encodeFrame(MESSAGE));
    expect(read).toEqual({
      ...MESSAGE,
      body: { op: 'x', request: { ...MESSAGE.body.request, buffer: Uint8Array.of(0x00, 0xff, 0x80) } },
    });
  });

  test('comes together from any pieces, and several stand in one', () => {
    const all = Buffer.concat([encodeFrame(MESSAGE), encodeFrame({ a: 1 }), encodeFrame({ b: 2 })]);
    for (const size of [1, 3, 7, 64, all.length]) {
      const reader = new FrameReader(LONGEST);
      const read: unknown[] = [];
      for (let at = 0; at < all.length; at += size)
        read.push(...reader.take(Buffer.from(all.subarray(at, at + size))));
      expect(read).toHaveLength(3);
      expect(read.slice(1)).toEqual([{ a: 1 }, { b: 2 }]);
    }
  });

  test('leaves nothing of it in the piece that came in', () => {
    const frame = encodeFrame({ secret: Uint8Array.of(1, 2, 3, 4) });
    new FrameReader(LONGEST).take(frame);
    expect(frame.every((byte) => byte === 0)).toBe(true);
  });

  test.each([
    ['a length above the longest', Buffer.from('ffffffff00000000', 'hex')],
    ['a length of nothing', Buffer.alloc(8)],
    ['a head longer than its frame', Buffer.from('00000005000000ff7b', 'hex')],
    ['a head that is not JSON', frameOf('{"a":')],
    ['bytes behind its end', frameOf('{"a":{"$bytes":[0,1]}}')],
    ['bytes of a length that is none', frameOf('{"a":{"$bytes":[0,-1]}}')],
    ['bytes of half a place', frameOf('{"a":{"$bytes":[0]}}')],
  ])('with %s is refused', (_what, bytes) => {
    expect(() => new FrameReader(LONGEST).take(Buffer.from(bytes))).toThrow(FrameError);
  });

  test('of random bytes never ends in anything but a message, a wait or a refusal', () => {
    for (let round = 0; round < 2_000; round += 1) {
      const reader = new FrameReader(LONGEST);
      try {
        reader.take(randomBytes(round % 64));
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }
  });

  test('nested deeper than can be read is refused', () => {
    const deep = frameOf(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    expect(() => new FrameReader(1 << 20).take(deep)).toThrow(FrameError);
  });
});

const LONGEST = 10_000;

const MESSAGE = {
  id: 7,
  body: {
    op: 'x',
    request: { none: new Uint8Array(0), own: Uint8Array.of(1, 2, 3), buffer: Buffer.from('00ff80', 'hex') },
  },
  list: [{ bytes: new Uint8Array(300).fill(9) }, 'text with ü', null, 1.5, true],
};

function frameOf(head: string): Buffer {
  const frame = Buffer.alloc(8 + head.length);
  frame.writeUInt32BE(4 + head.length, 0);
  frame.writeUInt32BE(head.length, 4);
  frame.write(head, 8);
  return frame;
}
