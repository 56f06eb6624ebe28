import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../app/card/bytes.ts';
import { FmcosFormatError } from '../../../app/dialects/fmcos/errors.ts';
import { retailMac } from '../../../app/globalplatform/des.ts';
import { pad80 } from '../../../app/globalplatform/padding.ts';
import {
  accountFactor,
  authenticationCryptogram,
  diversify,
  encipherable,
  keyRecord,
  secureMessagingMac,
} from '../../support/fmcos/algorithms.ts';
import { desEcb } from '../../support/globalplatform/ecb.ts';

describe('authentication', () => {
  it('single DES for an 8-byte key and a 4-byte challenge (published example)', () => {
    expect(toHex(authenticationCryptogram(fromHex('0102030405060708'), fromHex('BB83BFF3')))).toBe(
      '74B0047DD681D96C',
    );
  });

  it('triple DES for a 16-byte key and an 8-byte challenge (published example)', () => {
    expect(toHex(authenticationCryptogram(fromHex('39'.repeat(16)), fromHex('9B361B26CB9FA8C8')))).toBe(
      '97F557D8EDE97F95',
    );
  });

  it('no other challenge', () => {
    expect(() => authenticationCryptogram(fromHex('39'.repeat(16)), fromHex('9B361B'))).toThrow(
      FmcosFormatError,
    );
  });
});

describe('PBOC session key', () => {
  it('of a load: 3DES of random, counter and 8000 (published example)', () => {
    expect(toHex(desEcb(fromHex('3F01'.repeat(8)), fromHex('F9CABA9100008000')))).toBe('03015BEA347EA231');
  });
});

describe('secure-messaging MAC', () => {
  const key16 = fromHex('5775204D69616F6A756E404726444311');

  it('is ISO 9797-1 algorithm 3 from the challenge block', () => {
    const message = new TextEncoder().encode(
      'CHENHAO-PC|BFEBFBFF000306C3~9BP0PD2CN7016366I0043|20240111|20250101|8191|0',
    );
    // With a challenge of zeros the initial value is the published example's.
    expect(toHex(secureMessagingMac(key16, new Uint8Array(4), message))).toBe('4089819D');
    const other = retailMac(key16, pad80(message, 8), fromHex('0102030400000000'));
    expect(toHex(secureMessagingMac(key16, fromHex('01020304'), message))).toBe(toHex(other).slice(0, 8));
  });

  it('is single DES for an 8-byte key, and for cards of that kind under the left half of 16', () => {
    // Seven bytes and their padding are one block, so the MAC is one encryption.
    const key = fromHex('0102030405060708');
    const message = fromHex('BB83BFF3000000');
    const expected = toHex(desEcb(key, fromHex('BB83BFF300000080'))).slice(0, 8);
    expect(toHex(secureMessagingMac(key, new Uint8Array(4), message))).toBe(expected);
    const whole = fromHex('01020304050607081112131415161718');
    expect(toHex(secureMessagingMac(whole, new Uint8Array(4), message, 'single-des'))).toBe(expected);
    expect(toHex(secureMessagingMac(whole, new Uint8Array(4), message))).not.toBe(expected);
  });
});

describe('layout', () => {
  it('length, data, and 80 00… only where needed', () => {
    expect(toHex(encipherable(fromHex('11'.repeat(7))))).toBe(`07${'11'.repeat(7)}`);
    expect(toHex(encipherable(fromHex('11'.repeat(8))))).toBe(`08${'11'.repeat(8)}80000000000000`);
    expect(toHex(encipherable(fromHex('11'.repeat(21))))).toBe(`15${'11'.repeat(21)}8000`);
    expect(() => encipherable(new Uint8Array(256))).toThrow(FmcosFormatError);
  });

  it('key record, protected types only', () => {
    const header = { typeInside: 0xf6, useRight: 0xf0, changeRight: 0xaa, nextState: 0xff, counter: 0x33 };
    expect(toHex(keyRecord(header, fromHex('22'.repeat(16))))).toBe(`F6F0AAFF33${'22'.repeat(16)}`);
    expect(() => keyRecord({ ...header, typeInside: 0x36 }, fromHex('22'.repeat(16)))).toThrow(
      FmcosFormatError,
    );
    expect(() => keyRecord({ ...header, counter: 0x133 }, fromHex('22'.repeat(16)))).toThrow(
      FmcosFormatError,
    );
    expect(() => keyRecord(header, fromHex('22'.repeat(15)))).toThrow(FmcosFormatError);
  });
});

describe('diversification', () => {
  it('is the master over D and over NOT D', () => {
    const master = fromHex('39'.repeat(16));
    const key = toHex(diversify(master, fromHex('9B361B26CB9FA8C8')));
    expect(key.slice(0, 16)).toBe('97F557D8EDE97F95');
    expect(key.slice(16)).toBe(toHex(desEcb(master, fromHex('64C9E4D934605737'))));
  });

  it('of an AES master is one block of D and NOT D', () => {
    const master = fromHex('2B7E151628AED2A6ABF7158809CF4F3C');
    const cipher = createCipheriv('aes-128-ecb', master, null).setAutoPadding(false);
    const expected = cipher.update(fromHex('0011223344556677FFEEDDCCBBAA9988')).toString('hex');
    const key = diversify(master, fromHex('0011223344556677'), 'aes-128');
    expect(toHex(key)).toBe(expected.toUpperCase());
  });

  it('takes 8 bytes of D only', () => {
    expect(() => diversify(fromHex('39'.repeat(16)), new Uint8Array(7))).toThrow(FmcosFormatError);
  });

  it('D is the account as packed BCD, left-padded, its last 8 bytes', () => {
    expect(toHex(accountFactor('6222021234567890123'))).toBe('2021234567890123');
    expect(toHex(accountFactor('123'))).toBe('0000000000000123');
    expect(toHex(accountFactor('8888000012345678'))).toBe('8888000012345678');
    for (const wrong of ['', '12A4', '12 34', '１２３', 'X6222021234567890'])
      expect(() => accountFactor(wrong)).toThrow(FmcosFormatError);
  });

  it('D of any account is its last 16 digits', () => {
    const account = fc.stringMatching(/^[0-9]{1,20}$/);
    fc.assert(
      fc.property(account, (text) => {
        expect(toHex(accountFactor(text))).toBe(text.padStart(20, '0').slice(-16));
      }),
    );
  });
});
