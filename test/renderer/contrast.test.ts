/** WCAG 2.2 AA 1.4.3 and 1.4.11 over the colour tokens themselves, in both themes. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  const tokens = tokensOf(theme);
  const of = (name: string) => luminance(tokens.get(name) ?? `no --${name}`);
  const contrast = (a: string, b: string) => {
    const [high, low] = [of(a), of(b)].sort((x, y) => y - x);
    return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
  };

  it.each(TEXT)('%s can be read on %s', (text, grounds) => {
    for (const ground of grounds) {
      expect([ground, Math.floor(contrast(text, ground) * 10) / 10]).toEqual([
        ground,
        expect.toSatisfy((n) => n >= 4.5),
      ]);
    }
  });

  it.each(PARTS)('%s can be told from %s', (part, grounds) => {
    for (const ground of grounds) {
      expect([ground, Math.floor(contrast(part, ground) * 10) / 10]).toEqual([
        ground,
        expect.toSatisfy((n) => n >= 3),
      ]);
    }
  });
});

const css = readFileSync(new URL('../../renderer/styles/tokens.css', import.meta.url), 'utf8');

const TEXT: readonly [string, readonly string[]][] = [
  ['ink', ['paper', 'surface', 'sunken', 'raised', 'accent-soft', 'accent-wash', 'bad-soft', 'caution-soft']],
  [
    'ink-soft',
    ['paper', 'surface', 'raised', 'quiet-soft', 'bad-soft', 'bad-wash', 'caution-soft', 'accent-soft'],
  ],
  ['ink-faint', ['paper', 'surface', 'raised', 'accent-wash']],
  ['accent-text', ['paper', 'surface', 'raised', 'accent-soft']],
  ['on-accent', ['accent', 'accent-hover', 'accent-pressed']],
  ['on-bad', ['bad', 'bad-hover']],
  ['good', ['paper', 'surface', 'good-soft']],
  ['caution', ['paper', 'surface', 'caution-soft']],
  ['bad', ['paper', 'surface', 'raised', 'bad-soft', 'bad-wash']],
  ['on-hold', ['hold']],
  ['card-ink', ['card-from', 'card-to']],
  ['card-ink-soft', ['card-from', 'card-to']],
];

/** Borders of controls, bars, focus. */
const PARTS: readonly [string, readonly string[]][] = [
  ['line-strong', ['paper', 'surface', 'raised']],
  ['focus', ['paper', 'surface', 'raised']],
  ['accent', ['surface', 'quiet-soft']],
  ['good', ['quiet-soft']],
];

function tokensOf(theme: 'light' | 'dark'): Map<string, string> {
  const start = css.indexOf(`[data-theme="${theme}"] {`);
  const block = css.slice(start, css.indexOf('\n}', start));
  return new Map(
    [...block.matchAll(/--([a-z-]+): ([^;]+);/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

/** Relative luminance of an opaque oklch() colour: CSS Color 4 §9.3 and WCAG's definition, which both go by linear sRGB. */
function luminance(value: string): number {
  const [, l = '', c = '', h = ''] = /^oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)$/.exec(value) ?? [];
  if (l === '') {
    if (value === 'oklch(1 0 0)') return 1;
    throw new Error(value);
  }
  const angle = (Number(h) * Math.PI) / 180;
  const [L, a, b] = [Number(l), Number(c) * Math.cos(angle), Number(c) * Math.sin(angle)];
  const long = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clip = (channel: number) => Math.min(1, Math.max(0, channel));
  const red = clip(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short);
  const green = clip(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short);
  const blue = clip(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
