import { describe, expect, it } from 'vitest';
import { encodeCommand } from '../../app/card/apdu.ts';
import { concat, fromHex, toHex } from '../../app/card/bytes.ts';
import { storeData, storeGroupings, writeDataGrouping } from '../../app/globalplatform/store-data.ts';

describe('data groupings', () => {
  it('have a length of one byte up to 254, else of three (EMV CPS 1.1 §2.3)', () => {
    expect(toHex(writeDataGrouping({ dgi: 0x0101, value: bytes(3) }))).toBe('010103AAAAAA');
    expect(toHex(writeDataGrouping({ dgi: 0x8000, value: bytes(254) }).slice(0, 4))).toBe('8000FEAA');
    expect(toHex(writeDataGrouping({ dgi: 0x8000, value: bytes(255) }).slice(0, 6))).toBe('8000FF00FFAA');
    expect(() => writeDataGrouping({ dgi: 0, value: bytes(1) })).toThrow(RangeError);
    expect(() => writeDataGrouping({ dgi: 0x9000, value: bytes(0x10000) })).toThrow(RangeError);
  });

  it('share a block as long as they fit whole; a longer one has blocks of its own', () => {
    const groupings = [
      { dgi: 0x0101, value: bytes(100, 1) },
      { dgi: 0x0102, value: bytes(100, 2) },
      { dgi: 0x0103, value: bytes(60, 3) },
      { dgi: 0x0104, value: bytes(300, 4) },
      { dgi: 0x0105, value: bytes(1, 5) },
    ];
    const commands = storeGroupings(groupings, 239);
    expect(commands.map((one) => [one.p1, one.p2, one.data?.length])).toEqual([
      [0x08, 0, 206],
      [0x08, 1, 63],
      [0x08, 2, 239],
      [0x08, 3, 66],
      [0x88, 4, 4],
    ]);
    expect(concat(...commands.map((one) => one.data ?? bytes(0)))).toEqual(
      concat(...groupings.map(writeDataGrouping)),
    );
  });

  it('may be enciphered, and may be answered', () => {
    const [command] = storeGroupings([{ dgi: 0x8010, value: bytes(2) }], 239, {
      encryption: 'encrypted',
      answers: true,
    });
    expect(command === undefined ? '' : toHex(encodeCommand(command))).toBe('80E2E90005801002AAAA00');
  });
});

describe('any data', () => {
  it.each([
    ['none', 0x80],
    ['ber-tlv', 0x90],
  ] as const)('of structure %s in one block', (structure, p1) => {
    const [command, more] = storeData(fromHex('DF0102BEEF'), 255, { structure });
    expect(more).toBeUndefined();
    expect(command === undefined ? '' : toHex(encodeCommand(command))).toBe(
      `80E2${p1.toString(16).toUpperCase()}0005DF0102BEEF`,
    );
  });

  it('is refused when there is none, or more than 256 blocks of it', () => {
    expect(() => storeData(bytes(0), 255, { structure: 'none' })).toThrow(RangeError);
    expect(storeData(bytes(2560), 10, { structure: 'none' })).toHaveLength(256);
    expect(() => storeData(bytes(2561), 10, { structure: 'none' })).toThrow('more than 256');
  });
});

const bytes = (length: number, fill = 0xaa) => new Uint8Array(length).fill(fill);
