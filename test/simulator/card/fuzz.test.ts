/** Anything may be sent: the card always answers, and always keeps a card image. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cardImageSchema } from '../../../app/simulator/image.ts';
import { card, isdKeys, type Opened, openChannel, send, type VirtualCard, WALLET } from './host.ts';

describe('random commands', () => {
  it.each(['demo-scp02', 'demo-scp03'] as const)('to the domain and an app of %s', async (type) => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(apdu, { maxLength: 12 }), async (app, commands) => {
        const device = card({ type });
        if (app) await send(device, `00A4040009${WALLET}00`);
        for (const command of commands) sound(device, await device.transmit(command));
      }),
      { numRuns: 150 },
    );
  });

  it.each(['demo-scp02', 'demo-scp03'] as const)('inside a session of %s', async (type) => {
    const inner = fc.tuple(ins, p, p, data).map(([i, p1, p2, body]) => {
      const bytes = body.slice(0, 220);
      return Buffer.from([
        0x80,
        i,
        p1,
        p2,
        ...(bytes.length > 0 ? [bytes.length, ...bytes] : []),
        0,
      ]).toString('hex');
    });
    await fc.assert(
      fc.asyncProperty(fc.array(inner, { maxLength: 12 }), async (commands) => {
        const device = card({ type });
        let channel: Opened = await openChannel(device, isdKeys(device.image), { level: 0x03 });
        for (const command of commands) {
          const answer = await device.transmit(channel.wrap(command));
          sound(device, answer);
          if (Buffer.from(answer).toString('hex') !== '6982') continue;
          device.reset();
          channel = await openChannel(device, isdKeys(device.image), { level: 0x03 });
        }
      }),
      { numRuns: 100 },
    );
  });
});

const knownIns = fc.constantFrom(
  0xa4,
  0xca,
  0x50,
  0x82,
  0xf2,
  0xe6,
  0xe8,
  0xe4,
  0xd8,
  0xf0,
  0x84,
  0xd4,
  0xb0,
  0xd6,
  0x5c,
);

const ins = fc.oneof({ weight: 6, arbitrary: knownIns }, fc.integer({ min: 0, max: 255 }));

const cla = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0x00, 0x80, 0x84, 0x04) },
  fc.integer({ min: 0, max: 255 }),
);

const p = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(0x00, 0x01, 0x02, 0x04, 0x0c, 0x10, 0x20, 0x36, 0x39, 0x40, 0x80, 0x81, 0x95),
  },
  fc.integer({ min: 0, max: 255 }),
);

/** Data as the commands know it: length-value fields, data objects, or noise. */
const lv = fc
  .array(fc.uint8Array({ maxLength: 20 }), { maxLength: 7 })
  .map((fields) => fields.flatMap((f) => [f.length, ...f]));

const tlv = fc
  .array(
    fc.tuple(
      fc.constantFrom(0x4f, 0xc4, 0xe2, 0xef, 0xc9, 0xd0, 0xd2, 0x5c),
      fc.uint8Array({ maxLength: 20 }),
    ),
    { maxLength: 4 },
  )
  .map((objects) => objects.flatMap(([tag, value]) => [tag, value.length, ...value]));

const noise = fc.uint8Array({ maxLength: 240 }).map((bytes) => [...bytes]);
const data = fc.oneof(lv, tlv, noise).map((bytes) => bytes.slice(0, 240));
const le = fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined });

const wellFormed = fc
  .tuple(cla, ins, p, p, data, le)
  .map(([c, i, p1, p2, body, end]) =>
    Uint8Array.from([
      c,
      i,
      p1,
      p2,
      ...(body.length > 0 ? [body.length, ...body] : []),
      ...(end === undefined ? [] : [end]),
    ]),
  );

const apdu = fc.oneof({ weight: 5, arbitrary: wellFormed }, fc.uint8Array({ maxLength: 260 }));

function sound(device: VirtualCard, answer: Uint8Array): void {
  const word = ((answer.at(-2) ?? 0) << 8) | (answer.at(-1) ?? 0);
  expect(answer.length).toBeGreaterThanOrEqual(2);
  expect(answer.length).toBeLessThanOrEqual(258);
  expect(word).not.toBe(0x6f00);
  expect(word >> 12 === 6 || word >> 12 === 9).toBe(true);
  const { memory, packages, instances } = cardImageSchema.parse(device.image);
  expect(packages.reduce((sum, { size }) => sum + size, 0) + 2048 * instances.length).toBeLessThanOrEqual(
    memory.nonVolatile,
  );
}
