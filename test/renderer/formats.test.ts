import { describe, expect, it } from 'vitest';
import {
  duration,
  grouped,
  kilobytes,
  moment,
  money,
  percent,
  readerName,
} from '../../renderer/texts/formats.ts';
import { textsOf } from '../../renderer/texts/texts.ts';

describe('as people read it', () => {
  it('numbers of cards and accounts', () => {
    expect(grouped('6217001234567890')).toBe('6217 0012 3456 7890');
    expect(grouped('62170012345678901')).toBe('6217 0012 3456 7890 1');
    expect(grouped('')).toBe('');
  });

  it.each([
    [48_256, '48 KB'],
    [9_200, '9.2 KB'],
    [2_000, '2 KB'],
    [0, '0 KB'],
    [1_250_000, '1,250 KB'],
  ])('%i bytes', (bytes, text) => {
    expect(kilobytes(bytes, say('en'))).toBe(text);
  });

  it('money', () => {
    expect(money(12_850, say('zh-CN'))).toBe('¥128.50');
    expect(money(0, say('en'))).toBe('¥0.00');
  });

  it('percent', () => {
    expect(percent(39, say('en'))).toBe('39%');
  });

  it('times of today without the date, others with it', () => {
    const now = new Date(2026, 10, 23, 18, 0).getTime();
    const at = (day: number) => new Date(2026, 10, day, 9, 5).toISOString();
    expect(moment(at(23), say('en'), now)).toBe('09:05');
    expect(moment(at(20), say('zh-CN'), now)).toBe('2026年11月20日周五 09:05');
    expect(moment(at(20), say('en'), now)).toBe('Fri, Nov 20, 2026 09:05');
    expect(moment(new Date(2026, 10, 23, 0, 5).toISOString(), say('en'), now)).toBe('00:05');
  });

  it('time left, in steps that do not flicker', () => {
    expect(duration(11_200)).toEqual({ unit: 'seconds', count: 15 });
    expect(duration(900)).toEqual({ unit: 'seconds', count: 5 });
    expect(duration(56_000)).toEqual({ unit: 'minutes', count: 1 });
    expect(duration(130_000)).toEqual({ unit: 'minutes', count: 3 });
  });

  it.each([
    ['ACS ACR39U ICC Reader 00 00', 'ACS ACR39U ICC Reader'],
    ['Alcor Link AK9563 0', 'Alcor Link AK9563'],
    ['Virtual PCD 01 00', 'Virtual PCD'],
    ['Feitian R502 [Contactless Reader] (3B0021) 00 00', 'Feitian R502'],
  ])('the reader %s', (name, short) => {
    expect(readerName(name)).toBe(short);
  });
});

const say = (language: string) => textsOf(language).t;
