/// <reference path="../bundler.d.ts" />
/** The languages that the window was built with, and main's own few words in them. */
import { byLanguage, type Language, suiting } from '../../app/texts/language.ts';
import { createWords } from '../../app/texts/texts.ts';

// The bundler puts the files in here, and the same ones into the window's page: what one can say the other can.
const FILES = byLanguage(
  import.meta.glob<Words>('../../resources/locales/*/shell.json', { eager: true, import: 'default' }),
);

type Words = Readonly<Record<string, string>>;

const LANGUAGES: readonly Language[] = [...FILES.keys()];

export function isLanguage(language: string): boolean {
  return FILES.has(language);
}

/** For the first start: what the system speaks. */
export function languageFor(spoken: string): Language {
  return suiting(spoken, LANGUAGES);
}

/** The words of a dialog box of the system's. */
export function wordsIn(language: Language): ReturnType<typeof createWords> {
  return createWords(language, FILES.get(language)?.['shell'] ?? {});
}
