/** A language is a folder: it is found, offered and spoken without a line of code. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { languageFiles, languagesIn, readTexts } from '../../app/station/language-folder.ts';
import { byLanguage, gathered, suiting } from '../../app/texts/language.ts';
import { checkedMessages } from '../../app/texts/schema.ts';
import { createTexts } from '../../app/texts/texts.ts';
import { messagesIn, LANGUAGES as OFFERED } from '../../renderer/texts/languages.ts';
import { LANGUAGES, LOCALES } from '../support/texts.ts';

let locales: string;

beforeAll(addPolish);
afterAll(() => rmSync(locales, { recursive: true, force: true }));

describe('a third language', () => {
  it('is there with its folder, after the house’s', () => {
    expect(languagesIn(locales)).toEqual(['zh-CN', 'en', 'pl']);
  });

  it('is spoken, with plurals of its own', () => {
    const texts = readTexts(locales, 'pl');
    expect(texts.t('language.name')).toBe('Polski');
    const said = [1, 2, 5].map((count) => texts.t('apps.chosen-enable', { count }));
    expect(said).toEqual(['1 aplikacja', '2 aplikacje', '5 aplikacji']);
    const { detail } = texts.error('not-enough-memory', { suggestions: ['a', 'b'] });
    expect(detail).toContain('a i b');
  });

  it('is offered by the window, which is built with the folders that are there', () => {
    const paths = Object.fromEntries(
      languagesIn(locales).flatMap((language) =>
        Object.entries(languageFiles(locales, language)).map(([name, file]): [string, unknown] => [
          `../../resources/locales/${language}/${name}.json`,
          file,
        ]),
      ),
    );
    const built = byLanguage(paths);
    expect([...built.keys()]).toEqual(['zh-CN', 'en', 'pl']);
    const messages = checkedMessages(built.get('pl') ?? {});
    expect(gathered(built.get('pl') ?? {})).toEqual(messages);
    expect(createTexts('pl', messages).t('language.name')).toBe('Polski');
  });

  it('suits whoever speaks it', () => {
    const languages = ['zh-CN', 'en', 'pl'];
    expect(suiting('pl_PL.UTF-8', languages)).toBe('pl');
    expect(suiting('zh-TW', languages)).toBe('zh-CN');
    expect(suiting('en-GB', languages)).toBe('en');
    expect(suiting('fr-FR', languages)).toBe('en');
    expect(suiting('C', languages)).toBe('en');
  });

  it('that lacks a text is refused with its name', () => {
    const { errors, ...others } = languageFiles(locales, 'pl');
    const { internal: _, ...most } = errors as Record<string, unknown>;
    expect(() => checkedMessages({ ...others, errors: most })).toThrow('internal');
  });
});

it('the window is built with the languages of the repository', () => {
  expect(OFFERED).toEqual(LANGUAGES);
  for (const language of LANGUAGES) expect(messagesIn(language).errors).toBeDefined();
});

function addPolish(): void {
  locales = mkdtempSync(join(tmpdir(), 'kaika-locales-'));
  cpSync(LOCALES, locales, { recursive: true });
  // Polish: a language with more plurals than English has.
  cpSync(join(LOCALES, 'en'), join(locales, 'pl'), { recursive: true });
  edit('common', { 'language.name': 'Polski', 'common.list': ' i ' });
  edit('counter', {
    'apps.chosen-enable':
      '{count, plural, one {# aplikacja} few {# aplikacje} many {# aplikacji} other {# aplikacji}}',
  });
}

const edit = (name: string, words: Readonly<Record<string, string>>) => {
  const file = join(locales, 'pl', `${name}.json`);
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...words }));
};
