/** Names that are told: what may stand in one, and that a station can tell every reader's. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameSchema, readerNameSchema, toldReaderName } from '../../app/protocol/names.ts';

describe('a name', () => {
  it.each([
    'ACS ACR122U PICC Interface 00 00',
    'Gemalto PC Twin Reader [CCID Interface] (1-1:1.0) 00 00',
    'Identiv uTrust 4701 F Dual Interface Reader(2) 0',
    'Feitian R502 [R502 Contactless Reader] 01 00',
    '德卡 D3 读卡器（一号）',
    'Überweisungs-Leser №3'.replace('№', 'No.'),
    "Aoife O'Brien",
    'リーダー',
    'x',
  ])('%s', (name) => {
    expect(isName(name)).toBe(true);
    expect(toldReaderName(name)).toBe(name.normalize('NFKC'));
  });

  it.each([
    ['nothing', ''],
    ['an escape', 'reader\u001b[2J'],
    ['a line end', 'one\ntwo'],
    ['a null', 'one\0'],
    ['a delete', 'one\u007f'],
    ['a C1 control', 'one\u009b31m'],
    ['marks of direction', 'abc\u202Etxt.exe'],
    ['an isolate', '\u2066one\u2069'],
    ['letters written the other way', '\u05D0\u05D1'],
    ['a zero width space', 'a\u200bb'],
    ['a soft hyphen', 'a\u00adb'],
    ['a byte order mark', '\uFEFFreader'],
    ['marks that pile up', 'e\u0301\u0301\u0301'],
    ['HTML', '<img src=x onerror=alert(1)>'],
    ['an entity', 'a&lt;b'],
    ['an attribute', 'a" onload="x'],
    ['a formula', '=cmd()'],
    ['another formula', '+1'],
    ['a template', `a${'$'}{b}`],
    ['a backslash', 'a\\b'],
    ['half a pair', 'a\uD83D'],
    ['an emoji', 'a😀'],
    ['a space at its end', 'one '],
    ['a space no-break', 'one\u00A0two'],
    ['129 characters', 'x'.repeat(129)],
  ])('is not one with %s', (_what, text) => {
    expect(isName(text)).toBe(false);
    expect(isName(toldReaderName(text))).toBe(true);
  });

  it('has as many characters as may be', () => {
    expect(nameSchema(3).safeParse('abc').success).toBe(true);
    expect(nameSchema(3).safeParse('abcd').success).toBe(false);
  });
});

describe('a reader’s name as it is told', () => {
  it('is a name, whatever the reader is called, and is told the same again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const told = toldReaderName(text);
        expect(isName(told)).toBe(true);
        expect(toldReaderName(told)).toBe(told);
      }),
    );
  });

  it('keeps what can be kept', () => {
    expect(toldReaderName('Leser™ <A> & "B"')).toBe("LeserTM (A) + 'B'");
    expect(toldReaderName('ＡＣＳ\u00A0一号')).toBe('ACS 一号');
    expect(toldReaderName('\u202E\u0007')).toBe('reader');
  });
});

const isName = (text: string) => readerNameSchema.safeParse(text).success;
