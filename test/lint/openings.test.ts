/** A test file opens with its tests: what helps them stands below, what a room shares comes from one module (docs/architecture.md). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('half of the test files have ten lines or fewer before their first test', () => {
  const counts = [...openings().values()].sort((a, b) => a - b);
  expect(counts.length).toBeGreaterThan(200);
  expect(counts[Math.floor(counts.length / 2)]).toBeLessThanOrEqual(10);
});

it('none has more than 34, but those that are a table', () => {
  const long = [...openings()].filter(([file, lines]) => lines > 34 && !TABLES.has(file));
  expect(long).toEqual([]);
});

const TABLES: ReadonlySet<string> = new Set(['lint/import-rules.test.ts']);

const FIRST = /^\s*(?:if \(.*\) )?(?:it|test|describe\w*|onEveryStore)(?:\.\w+)*[(<]/;

/** The lines of each file before its first test; all of them where there is none. */
function openings(): ReadonlyMap<string, number> {
  const folder = join(import.meta.dirname, '..');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.test\.tsx?$/.test(file),
  );
  return new Map(
    files.map((file) => {
      const lines = readFileSync(join(folder, file), 'utf8').split('\n');
      const first = lines.findIndex((line) => FIRST.test(line));
      return [file.replaceAll('\\', '/'), first < 0 ? lines.length : first];
    }),
  );
}
