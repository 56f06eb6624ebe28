import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../../app/card/bytes.ts';
import { FmcosFormatError } from '../../../app/dialects/fmcos/errors.ts';
import { type FmcosOutcome, fmcosOutcome } from '../../../app/dialects/fmcos/outcome.ts';
import { PUBLIC_FILE_UPDATE_OFFSET, publicFileUpdate } from '../../../app/dialects/fmcos/public-file.ts';
import { readPublicFile } from '../../support/fmcos/public-file.ts';

describe('the public file', () => {
  it('gets flag, version, account and dates', () => {
    expect(toHex(publicFileUpdate(FILE))).toBe(toHex(fromHex(ENABLED).slice(PUBLIC_FILE_UPDATE_OFFSET)));
    expect(readPublicFile(fromHex(ENABLED))).toEqual({
      issuer: '4B41494B41000000',
      enabled: true,
      version: 1,
      ...FILE,
    });
  });

  it.each([
    [{ account: '1'.repeat(21) }, 'more than 20 digits'],
    [{ account: '12-34' }, 'not decimal digits'],
    [{ account: '' }, 'not decimal digits'],
    [{ enabledOn: '20250230' }, 'not a date YYYYMMDD at offset 20'],
    [{ validUntil: '2025-02-03' }, 'not a date YYYYMMDD at offset 24'],
    [{ version: 256 }, 'version that is not a byte at offset 9'],
  ])('is not written with %j', (wrong, reason) => {
    expect(() => publicFileUpdate({ ...FILE, ...wrong })).toThrow(FmcosFormatError);
    expect(() => publicFileUpdate({ ...FILE, ...wrong })).toThrow(reason);
  });

  it('says afterwards what it was told, whatever fits', () => {
    const day = fc
      .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10).replaceAll('-', ''));
    const file = fc.record({
      version: fc.nat(255),
      account: fc.stringMatching(/^[1-9][0-9]{0,19}$/),
      enabledOn: day,
      validUntil: day,
    });
    fc.assert(
      fc.property(file, (given) => {
        const written = concat(fromHex(ENABLED).slice(0, PUBLIC_FILE_UPDATE_OFFSET), publicFileUpdate(given));
        expect(readPublicFile(written)).toMatchObject({ enabled: true, ...given });
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

const FILE = { account: '6222021234567890123', enabledOn: '20250314', validUntil: '20300313' };

const ENABLED = '4B41494B41000000 01 01 06222021234567890123 20250314 20300313 0000';
