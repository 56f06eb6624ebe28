/** Answers to reset: those of ISO 7816-3's own making, of real cards, and broken ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../app/card/bytes.ts';
import { offersOnlyT0, readAtr } from '../../../app/simulator/atr.ts';
import { PROFILES } from '../../../app/simulator/profiles.ts';

describe('readAtr', () => {
  it.each([
    // Published ATRs: a JCOP card, a SIM, a T=0-only card, a T=1-only one.
    ['3BF81300008131FE454A434F5076323431B7', [1], '4A434F5076323431'],
    ['3B9F96801F878031E073FE211B674A4C753034054BA9', [0], '8031E073FE211B674A4C753034054B'],
    ['3B6500009C02020702', [0], '9C02020702'],
    ['3B85014B41494B41CD', [1], '4B41494B41'],
    ['3B00', [0], ''],
  ])('%s', (text, protocols, historical) => {
    const atr = readAtr(fromHex(text));
    if (typeof atr === 'string') throw new Error(atr);
    expect(atr.protocols).toEqual(protocols);
    expect(toHex(atr.historical)).toBe(historical);
  });

  it.each([
    ['', 'begins with 3B or 3F'],
    ['4B00', 'begins with 3B or 3F'],
    ['3B', '2 to 33 bytes'],
    ['3B8501', 'T0 says'],
    ['3B85014B41494B41CE', 'TCK'],
    ['3B85014B41494B41', 'T0 says'],
    ['3B80', 'ends within'],
    ['3B0055', 'T0 says'],
  ])('%s is none', (text, reason) => {
    expect(readAtr(fromHex(text))).toContain(reason);
  });

  it('takes anything without failing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(['string', 'object']).toContain(typeof readAtr(bytes));
      }),
    );
  });

  it('finds T=0 where nothing else is offered', () => {
    expect(offersOnlyT0(fromHex('3B9F96801F878031E073FE211B674A4C753034054BA9'))).toBe(true);
    expect(offersOnlyT0(fromHex('3B00'))).toBe(true);
    expect(offersOnlyT0(fromHex('3B85014B41494B41CD'))).toBe(false);
    // T=0 and T=1 offered.
    expect(offersOnlyT0(fromHex('3B80800101'))).toBe(false);
  });

  it.each(Object.entries(PROFILES).filter(([, profile]) => profile.kind !== 'demo'))(
    'the ATR of %s is one, and nobody else’s',
    (name, profile) => {
      if (profile.kind === 'demo') return;
      expect(readAtr(fromHex(profile.atr))).toBeTypeOf('object');
      const others = Object.entries(PROFILES).filter(([other]) => other !== name);
      expect(others.map(([, other]) => ('atr' in other ? other.atr : ''))).not.toContain(profile.atr);
    },
  );
});
