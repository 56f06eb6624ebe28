/** Bodies that are not parsed at all, because parsing them would hold up everybody else. */
import { describe, expect, it } from 'vitest';
import { faultOfShape } from '../../../app/keyserver/api/body.ts';

describe('a body', () => {
  it.each(['[', '{"a":'])('of %s is as deep as 64, and no deeper', (open) => {
    expect(faultOf(nested(open, 64))).toBeUndefined();
    expect(faultOf(nested(open, 65))).toBe('the body is too deep');
  });

  it('has 4,096 members or elements, and no more', () => {
    expect(faultOf(`[${Array.from({ length: 4_096 }, () => '0').join(',')}]`)).toBeUndefined();
    expect(faultOf(`[${Array.from({ length: 4_097 }, () => '0').join(',')}]`)).toBe(
      'the body has too many members',
    );
  });

  it('may have brackets and commas in its texts, and quotes behind a backslash', () => {
    for (const text of ['['.repeat(1_000), ','.repeat(10_000), `"${'['.repeat(100)}`, '\\', '\\"', '密'])
      expect(faultOf(JSON.stringify({ [text]: [text] })), text.slice(0, 10)).toBeUndefined();
    expect(faultOf(`["\\\\",${nested('[', 64)}]`)).toBe('the body is too deep');
  });

  it('that is no JSON is left to the parser', () => {
    for (const text of ['', '"', '"\\', ']]]]', 'null', '\u0000']) expect(faultOf(text)).toBeUndefined();
  });

  it('of a megabyte is looked at in less than the parser would take', () => {
    const parsing = timeOf(() => JSON.parse(`[${Array.from({ length: 200_000 }, () => '1234').join(',')}]`));
    const text = Buffer.from(nested('[', 500_000));
    expect(timeOf(() => faultOfShape(text))).toBeLessThan(Math.max(parsing, 50));
  });
});

const faultOf = (text: string) => faultOfShape(Buffer.from(text));

const nested = (open: string, depth: number) => open.repeat(depth) + (open === '[' ? ']' : '}').repeat(depth);

function timeOf(work: () => unknown): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}
