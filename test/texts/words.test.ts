/** The words of window and terminal: whole in every language, all of them used, each in its place, none of them technical. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IntlMessageFormat } from 'intl-messageformat';
import { describe, expect, it } from 'vitest';
import { languageFiles } from '../../app/station/language-folder.ts';
import { valuesIn } from '../../app/texts/texts.ts';
import { LANGUAGES, LOCALES, messagesIn, textsIn } from '../support/texts.ts';

describe.each(LANGUAGES)('words in %s', (language) => {
  const { words, errors, reasons } = messagesIn(language);

  it('are those of the house, in the same files, with the same values in them', () => {
    const house = messagesIn(HOUSE);
    for (const [name, file] of Object.entries(languageFiles(LOCALES, HOUSE))) {
      const own = languageFiles(LOCALES, language)[name];
      expect([name, Object.keys(own ?? {}).sort()]).toEqual([name, Object.keys(file as object).sort()]);
    }
    expect(Object.keys(languageFiles(LOCALES, language))).toEqual(Object.keys(languageFiles(LOCALES, HOUSE)));
    for (const [key, text] of Object.entries(house.words))
      expect([key, holes(words[key] ?? '')]).toEqual([key, holes(text)]);
    for (const [code, { detail }] of Object.entries(house.errors)) {
      const own = Object.entries(errors).find(([one]) => one === code)?.[1].detail;
      expect([code, own === undefined ? undefined : holes(own)]).toEqual([
        code,
        detail === undefined ? undefined : holes(detail),
      ]);
    }
    expect(Object.keys(reasons).sort()).toEqual(Object.keys(house.reasons).sort());
  });

  it('are messages that can be said, whatever their values', () => {
    const { t } = textsIn(language);
    for (const [key, text] of Object.entries(words)) {
      const values = Object.fromEntries(holes(text).map((name) => [name, 1]));
      expect(t(key, values), key).not.toMatch(/[{}]/);
    }
  });

  it('show staff no card internals', () => {
    const all = keys
      .filter(({ name }) => name !== 'terminal')
      .map(({ key }) => words[key])
      .join('\n');
    expect(all).not.toMatch(/\b(AID|APDU|SW1|SW2|status word|HSM|PC\/SC|TLS|KCV|SELECT|SCP0\d|JSON)\b/i);
    expect(all).not.toMatch(/状态字|密钥|\b[0-9A-F]{4,}\b/);
  });
});

describe('words', () => {
  it('are all used', () => {
    const unused = keys.filter(({ key }) => !sources.some(({ text }) => says(text, key)));
    expect(unused).toEqual([]);
  });

  it('that are asked for are all there', () => {
    const known = new Set(keys.map(({ key }) => key));
    const asked = sources.flatMap(({ file, text }) =>
      [...text.matchAll(/\bt\(\s*'([^']+)'/g)].map(([, key = '']) => ({ file, key })),
    );
    expect(asked.length).toBeGreaterThan(100);
    expect(asked.filter(({ key }) => !known.has(key))).toEqual([]);
  });

  it('of a feature stand in its own file, and what several say in common', () => {
    const roomOf = (file: string) =>
      /^renderer\/features\/([^/]+)\//.exec(file)?.[1] ??
      (file.startsWith('app/demo/')
        ? 'terminal'
        : /^(renderer\/(shell\/|App)|electron\/)/.test(file)
          ? 'shell'
          : 'common');
    const wrong = sources.flatMap(({ file, text }) =>
      keys
        .filter(({ name, key }) => name !== 'common' && name !== roomOf(file) && text.includes(`'${key}'`))
        .map(({ name, key }) => `${file} says ${key} of ${name}.json`),
    );
    expect(wrong).toEqual([]);
  });

  it('stand in the language folders and nowhere else', () => {
    const chinese = sources.filter(
      ({ file, text }) => /^(renderer|electron)/.test(file) && /[\u4e00-\u9fff]/.test(text),
    );
    expect(chinese.map(({ file }) => file)).toEqual([]);
  });

  it('in English are short enough for their place', () => {
    const { words } = messagesIn('en');
    for (const state of ['enabled', 'installed', 'missing', 'unforeseen', 'unread']) {
      expect((words[`state.${state}`] ?? '').length).toBeLessThanOrEqual(24);
    }
  });
});

const HOUSE = 'zh-CN';

/** Files whose keys are the schema's, not the program's own. */
const NO_WORDS = ['errors', 'set-aside', 'steps'];

/** Every key of the words with the file it stands in. */
const keys = Object.entries(languageFiles(LOCALES, HOUSE)).flatMap(([name, file]) =>
  NO_WORDS.includes(name) ? [] : Object.keys(file as object).map((key) => ({ name, key })),
);

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The values that a text asks for, in the order of their names. */
const holes = (text: string) =>
  [...new Set(valuesIn(new IntlMessageFormat(text, 'en', undefined, { ignoreTag: true })))].sort();

const sourcesIn = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !file.startsWith('mock'))
    .map((file) => ({
      file: `${folder}/${file}`,
      text: readFileSync(join(ROOT, folder, file), 'utf8'),
    }));

const sources = [
  ...sourcesIn('renderer'),
  ...sourcesIn('electron'),
  ...sourcesIn('app/demo'),
  ...sourcesIn('app/texts'),
];

/** Whether a source says this key, also where it is put together: `state.${state}`. */
function says(text: string, key: string): boolean {
  if (text.includes(`'${key}'`)) return true;
  const built = [...text.matchAll(/`([a-z-]+\.(?:[a-z]+-)?)\$\{/g)].map(([, start]) => start ?? '');
  return built.some((start) => key.startsWith(start));
}
