/** docs/security.md claims what tests show: every part of it leads to tests by name, and each of them is there, word for word. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const text = readFileSync('docs/security.md', 'utf8');
const [body = '', tests = ''] = text.split(/^## Tests$/m);

describe('the tests that docs/security.md names', () => {
  const notes = [...tests.matchAll(/^\[\^([a-z-]+)\]: (.+)$/gm)].map(([, name = '', files = '']) => ({
    name,
    files: [...files.matchAll(/`([^`]+)`: ((?:“[^”]+”(?:, )?)+)/g)].map(([, file = '', titles = '']) => ({
      file,
      titles: [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title),
    })),
    /** The line, put together again from what was understood of it. */
    whole: files,
  }));

  it('are all understood', () => {
    expect(notes.length).toBeGreaterThan(50);
    for (const { files, whole } of notes)
      expect(
        files
          .map(({ file, titles }) => `\`${file}\`: ${titles.map((one) => `“${one}”`).join(', ')}`)
          .join('; '),
      ).toBe(whole);
  });

  it.each(notes.flatMap(({ files }) => files))('$file: $titles', ({ file, titles }) => {
    expect(existsSync(file)).toBe(true);
    const source = readFileSync(file, 'utf8');
    const missing = titles.filter(
      (title) => !["'", '"', '`'].some((mark) => source.includes(mark + title + mark)),
    );
    expect(missing).toEqual([]);
  });

  it('are each led to, and nothing leads nowhere', () => {
    const used = [...body.matchAll(/\[\^([a-z-]+)\]/g)].map(([, name = '']) => name);
    expect([...new Set(used)].sort()).toEqual(notes.map(({ name }) => name).sort());
  });
});

it('every part of docs/security.md leads to a test, but for what says that something is not protected, and what a word means', () => {
  const found = partsOf(body).filter((part) => !/\[\^[a-z-]+\]/.test(part));
  const bare = found.filter((part) => !WITHOUT.some((begin) => part.startsWith(begin)));
  expect(bare).toEqual([]);
  // A part that went, or has a test by now.
  expect(WITHOUT.filter((begin) => !found.some((part) => part.startsWith(begin)))).toEqual([]);
});

it('no sentence of docs/security.md stands there twice', () => {
  const sentences = partsOf(body)
    .join('\n')
    .replace(/\[\^[a-z-]+\]/g, '')
    .split(/(?<=[.:;?])\s+|\n|\|/)
    .map((one) => one.replace(/[^\p{L}\p{N} ]/gu, '').trim())
    .filter((one) => one.split(' ').length > 9);
  expect(sentences.filter((one, at) => sentences.indexOf(one) !== at)).toEqual([]);
});

/** Sections that claim nothing: what is open, and what a site is to decide. */
const OPEN = ['What to decide before real cards', 'Not protected yet'];

/** How the parts begin that claim nothing: they say what can be done to us, or what a word means. */
const WITHOUT: readonly string[] = [
  'For whoever has to judge Kaika',
  'Kaika puts keys and applications on payment cards',
  '| root on the server |',
  '| private keys for TLS |',
  "Besides, what is the server's own",
  "Stopping it: end the vault's service",
  'The PIN is not in the server only where it comes from a file',
  '| the look:',
  '**To the card in its reader** it can',
  '- **A card type without a security domain** can show nothing',
  '- **Without R-MAC** it is again only what the station says',
  'What the rules do not see',
];

/** Paragraphs, items of lists and rows of tables, without headings and the tables that are derived from the vault's registries. */
function partsOf(document: string): string[] {
  const own = document.replace(/<!-- operations[\s\S]*?<!-- end -->/g, '');
  const sections = own
    .split(/^(?=#+ )/m)
    .filter((one) => !OPEN.some((name) => one.replace(/^#+ /, '').startsWith(name)));
  return sections
    .map((one) => one.replace(/^#.*\n/, ''))
    .join('\n\n')
    .replace(/^\|(.*)\|\n\|(?:---\|)+$/gm, '')
    .split(/\n\n+|\n(?=[-|] ?)|\n(?=\d\. )/)
    .map((one) => one.replace(/\s+/g, ' ').trim())
    .filter((one) => one !== '');
}
