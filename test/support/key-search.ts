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

/** One pass over everything for all needles at once; gives the names of those that were found. */
export function findAll(
  haystacks: Iterable<Buffer>,
  keys: readonly { key: Uint8Array; what: string }[],
): string[] {
  const byStart = new Map<number, { needle: Buffer; what: string }[]>();
  for (const { key, what } of keys) {
    for (const needle of needles(key)) {
      const start = needle.readUInt32BE(0);
      byStart.set(start, [...(byStart.get(start) ?? []), { needle, what }]);
    }
  }
  const possible = new Uint8Array(65_536);
  for (const start of byStart.keys()) possible[start >>> 16] = 1;
  const found = new Set<string>();
  for (const hay of haystacks) {
    for (let at = 0; at + 8 <= hay.length; at += 1) {
      if (possible[((hay[at] ?? 0) << 8) | (hay[at + 1] ?? 0)] === 0) continue;
      for (const { needle, what } of byStart.get(hay.readUInt32BE(at)) ?? []) {
        if (hay.subarray(at, at + needle.length).equals(needle)) found.add(what);
      }
    }
  }
  return [...found];
}
