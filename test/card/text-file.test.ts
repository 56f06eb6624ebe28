import fc from 'fast-check';
import { expect, it } from 'vitest';
import { concat } from '../../app/card/bytes.ts';
import { byteOrderMark, decodeTextFile, TextFileError } from '../../app/card/text-file.ts';

it('reads what editors write: UTF-8 with a mark or without, UTF-16 of either order with one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      fc.pre(!text.includes('\0') && !text.startsWith('\uFEFF'));
      const utf16 = Uint8Array.from(Buffer.from(text, 'utf16le'));
      const swapped = Uint8Array.from(Buffer.from(text, 'utf16le').swap16());
      for (const [mark, body] of [
        [[], Buffer.from(text)],
        [[0xef, 0xbb, 0xbf], Buffer.from(text)],
        [[0xff, 0xfe], utf16],
        [[0xfe, 0xff], swapped],
      ] as const)
        expect(decodeTextFile(concat(Uint8Array.from(mark), body))).toBe(text);
    }),
  );
});

it.each([
  ['UTF-16 without a mark', Buffer.from('{"version":1}', 'utf16le')],
  ['a certificate in DER', Uint8Array.of(0x30, 0x82, 0x01, 0x0a, 0x02)],
  ['Latin-1', Buffer.from('f\u00fcr', 'latin1')],
  ['half a character of UTF-16', Uint8Array.of(0xff, 0xfe, 0x41)],
  ['a surrogate of UTF-16 without the other', Uint8Array.of(0xff, 0xfe, 0x00, 0xd8)],
])('%s is no text, and is not taken for any', (_, bytes) => {
  expect(() => decodeTextFile(bytes)).toThrow(TextFileError);
});

it('finds a byte order mark and nothing else', () => {
  expect(byteOrderMark(Uint8Array.of(0xef, 0xbb, 0xbf))).toBe('utf-8');
  expect(byteOrderMark(Uint8Array.of(0xef, 0xbb))).toBeUndefined();
  expect(byteOrderMark(Buffer.from('1234'))).toBeUndefined();
});
