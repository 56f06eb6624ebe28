/** Looks for keys in whatever could hold one, in every spelling a leak could have. */
import { oddParity } from './known-token.ts';

/** `key` in every spelling a leak could have. */
function spellings(key: Uint8Array): Buffer[] {
  const raw = Buffer.from(key);
  const base64 = (shift: number) =>
    // Whatever stood before it: the inner part of the text is the same.
    Buffer.concat([Buffer.alloc(shift), raw])
      .toString('base64')
      .slice(4, 18);
  const texts = [
    raw.toString('hex'),
    raw.toString('hex').toUpperCase(),
    [...raw].join(','),
    raw.toString('base64url'),
  ];
  return [raw, ...[...texts, base64(0), base64(1), base64(2)].map((text) => Buffer.from(text, 'latin1'))];
}

/** The whole key, as it is and parity-adjusted, and its halves. */
export function needles(key: Uint8Array): Buffer[] {
  const forms = [Buffer.from(key), oddParity(key)];
  return forms.flatMap((form) => [
    ...spellings(form),
    ...[form.subarray(0, 8), form.subarray(8, 16)].flatMap((half) => [
      half,
      Buffer.from(half.toString('hex'), 'latin1'),
      Buffer.from(half.toString('hex').toUpperCase(), 'latin1'),
    ]),
  ]);
}

/** A sought spelling, and how far into it one of its words stands. */
interface Sought {
  readonly needle: Buffer;
  readonly offset: number;
  readonly what: string;
}

const WORD = 4;
const HASH_BITS = 20;
/** Knuth's multiplicative hash of a word, to HASH_BITS. */
const hashOf = (word: number): number => Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);

/** The hay as words; bytes behind the last whole one are none. Words lie where the machine wants them, so some hay is copied. */
function wordsOf(hay: Buffer): Uint32Array {
  const aligned = hay.byteOffset % WORD === 0 ? hay : new Uint8Array(hay);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, Math.floor(hay.length / WORD));
}

/**
 * One pass over everything for all needles at once; gives the names of those that were found. Only every fourth position is looked at: a needle
 * has 8 bytes or more, so wherever it stands one of its first four words lies on such a position.
 */
export function findAll(
  haystacks: Iterable<Buffer>,
  keys: readonly { key: Uint8Array; what: string }[],
): string[] {
  const byWord = new Map<number, Sought[]>();
  const possible = new Uint8Array(1 << HASH_BITS);
  for (const { key, what } of keys) {
    for (const needle of needles(key)) {
      if (needle.length < 2 * WORD) throw new Error('too short to be found');
      for (let offset = 0; offset < WORD; offset += 1) {
        const word = wordsOf(Buffer.from(needle.subarray(offset, offset + WORD)))[0] ?? 0;
        const same = byWord.get(word);
        if (same === undefined) byWord.set(word, [{ needle, offset, what }]);
        else same.push({ needle, offset, what });
        possible[hashOf(word)] = 1;
      }
    }
  }
  const found = new Set<string>();
  for (const hay of haystacks) {
    const words = wordsOf(hay);
    for (let i = 0; i < words.length; i += 1) {
      const word = words[i] ?? 0;
      if (possible[hashOf(word)] === 0) continue;
      for (const { needle, offset, what } of byWord.get(word) ?? []) {
        const at = i * WORD - offset;
        if (at >= 0 && hay.subarray(at, at + needle.length).equals(needle)) found.add(what);
      }
    }
  }
  return [...found];
}
