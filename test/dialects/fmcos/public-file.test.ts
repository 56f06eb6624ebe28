import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../app/card/bytes.ts';
import { FmcosFormatError } from '../../../app/dialects/fmcos/errors.ts';
import { type FmcosOutcome, fmcosOutcome } from '../../../app/dialects/fmcos/outcome.ts';
import {
  buildPublicFile,
  parsePublicFile,
  publicFileUpdate,
} from '../../../app/dialects/fmcos/public-file.ts';

describe('the public file', () => {
  it('as delivered', () => {
    expect(parsePublicFile(fromHex(DELIVERED))).toEqual({
      issuer: fromHex('4B41494B41000000'),
      enabled: false,
      version: 1,
    });
    expect(toHex(buildPublicFile({ enabled: false, version: 1 }))).toBe(toHex(fromHex(DELIVERED)));
  });

  it('enabled', () => {
    const file = {
      enabled: true,
      version: 1,
      account: '6222021234567890123',
      enabledOn: '20250314',
      validUntil: '20300313',
    };
    expect(toHex(buildPublicFile(file))).toBe(toHex(fromHex(ENABLED)));
    expect(parsePublicFile(fromHex(ENABLED))).toEqual({ issuer: fromHex('4B41494B41000000'), ...file });
    const { enabled: _, version: __, ...rest } = file;
    expect(toHex(publicFileUpdate(rest))).toBe(toHex(fromHex(ENABLED).slice(8)));
  });

  it.each([
    [29, 'another length than 30'],
    [31, 'another length than 30'],
  ])('of %i bytes is refused', (length, reason) => {
    expect(() => parsePublicFile(new Uint8Array(length))).toThrow(reason);
  });

  it.each([
    [8, 0x02, 'flag that is neither 00 nor 01 at offset 8'],
    [12, 0x1a, 'not a decimal digit at offset 12'],
    [22, 0x13, 'not a date at offset 20'],
    [27, 0xf1, 'not a decimal digit at offset 27'],
  ])('with byte %i = %i: where and why', (at, byte, reason) => {
    const bytes = fromHex(ENABLED);
    bytes[at] = byte;
    expect(() => parsePublicFile(bytes)).toThrow(reason);
  });

  it('cannot be built of what does not fit', () => {
    const file = { enabled: true, version: 1 };
    expect(() => buildPublicFile({ ...file, account: '1'.repeat(21) })).toThrow(FmcosFormatError);
    expect(() => buildPublicFile({ ...file, account: '12-34' })).toThrow(FmcosFormatError);
    expect(() => buildPublicFile({ ...file, enabledOn: '20250230' })).toThrow(FmcosFormatError);
    expect(() => buildPublicFile({ ...file, validUntil: '2025-02-03' })).toThrow(FmcosFormatError);
    expect(() => buildPublicFile({ ...file, version: 256 })).toThrow(FmcosFormatError);
    expect(() => buildPublicFile({ ...file, issuer: new Uint8Array(7) })).toThrow(FmcosFormatError);
  });

  it('gives a value or its own error for any 30 bytes, and values come back as they were', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 28, maxLength: 31 }), (bytes) => {
        try {
          parsePublicFile(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FmcosFormatError);
        }
      }),
    );
    const day = fc
      .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10).replaceAll('-', ''));
    const file = fc.record({
      issuer: fc.uint8Array({ minLength: 8, maxLength: 8 }),
      enabled: fc.boolean(),
      version: fc.nat(255),
      account: fc.stringMatching(/^[1-9][0-9]{0,19}$/),
      enabledOn: day,
      validUntil: day,
    });
    fc.assert(
      fc.property(file, (given) => {
        expect(parsePublicFile(buildPublicFile(given))).toEqual(given);
      }),
    );
  });
});

describe('status words of the dialect', () => {
  it.each<[number, FmcosOutcome]>([
    [0x9000, { kind: 'ok' }],
    [0x63c2, { kind: 'wrong-key', triesLeft: 2 }],
    [0x63c0, { kind: 'wrong-key', triesLeft: 0 }],
    [0x6983, { kind: 'locked' }],
    [0x9302, { kind: 'mac-wrong' }],
    [0x6988, { kind: 'mac-wrong' }],
    [0x6283, { kind: 'key-check-error' }],
    [0x9303, { kind: 'application-locked' }],
    [0x6a82, { kind: 'not-found' }],
    [0x6a88, { kind: 'not-found' }],
    [0x9403, { kind: 'not-found' }],
    [0x6982, { kind: 'security-not-satisfied' }],
    [0x6985, { kind: 'conditions-not-satisfied' }],
    [0x6700, { kind: 'other', sw: 0x6700 }],
    [0x6300, { kind: 'other', sw: 0x6300 }],
  ])('%i', (sw, outcome) => {
    expect(fmcosOutcome(sw)).toEqual(outcome);
  });
});

const DELIVERED = `4B41494B41000000 00 01 ${'00'.repeat(10)} 00000000 00000000 0000`;

const ENABLED = '4B41494B41000000 01 01 06222021234567890123 20250314 20300313 0000';
