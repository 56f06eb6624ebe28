/**
 * Names that one side tells and people read on the other, years later too: of readers, stations and people. What could be more than a name
 * there (control characters, escapes, marks that turn the direction of writing, HTML, the beginning of a formula) is no part of any. Pure.
 */
import { z } from 'zod';

/**
 * Letters and digits: Latin, Greek, Cyrillic, kana, Han, Hangul. Ranges, not properties, so that the OpenAPI document says the same in every
 * language. Marks that combine are none of them: a name is in composed form.
 */
const LETTERS =
  '0-9A-Za-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02AF\\u0386-\\u03FF\\u0400-\\u0482\\u048A-\\u04FF' +
  '\\u1E00-\\u1EFF\\u3041-\\u3096\\u309D-\\u309F\\u30A1-\\u30FA\\u30FC-\\u30FF\\u3400-\\u4DBF\\u4E00-\\u9FFF\\uAC00-\\uD7A3';

const SIGNS = " \\-_.,:;()\\[\\]#+/@'·（）";

const NAME = new RegExp(`^[${LETTERS}](?:[${LETTERS}${SIGNS}]*[${LETTERS}${SIGNS.slice(1)}])?$`);

/** A name of 1 to `most` characters; the first is a letter or digit, the last is no space. */
export function nameSchema(most: number) {
  return z.string().max(most).regex(NAME);
}

/** As PC/SC has them: up to 127 bytes. */
const READER = 128;

export const readerNameSchema = nameSchema(READER);

/** What stands for a reader whose name has nothing that could be told. */
const NAMELESS = 'reader';

const REPLACED: Readonly<Record<string, string>> = {
  '<': '(',
  '>': ')',
  '{': '(',
  '}': ')',
  '"': "'",
  '`': "'",
  '’': "'",
  '&': '+',
  '\\': '/',
  '|': '/',
  '–': '-',
  '—': '-',
};

const OTHER = new RegExp(`[^${LETTERS}${SIGNS}]+`, 'g');
const BEFORE = new RegExp(`^[^${LETTERS}]+`);

/**
 * A reader's name as a station tells it: in compatibility form (full-width letters become plain, ™ becomes TM), signs replaced by like ones,
 * everything else by a space; spaces together become one; what stands before the first letter or digit goes; 128 characters at most.
 */
export function toldReaderName(name: string): string {
  const told = name
    .normalize('NFKC')
    .replace(/[<>{}"`’&\\|–—]/g, (sign) => REPLACED[sign] ?? ' ')
    .replace(OTHER, ' ')
    .replace(/ +/g, ' ')
    .replace(BEFORE, '')
    .slice(0, READER)
    .trimEnd();
  return told === '' ? NAMELESS : told;
}
