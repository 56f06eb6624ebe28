/** Catalogue and texts as the demo's station reads them. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Catalogue } from '../catalogue/schema.ts';
import { catalogueIn } from '../station/catalogue-folder.ts';
import { languagesIn, readTexts } from '../station/language-folder.ts';
import { type Language, suiting } from '../texts/language.ts';
import type { Texts } from '../texts/texts.ts';

export const RESOURCES = fileURLToPath(new URL('../../resources/', import.meta.url));

export function loadCatalogue(): Catalogue {
  return catalogueIn(RESOURCES);
}

const LOCALES = join(RESOURCES, 'locales');

/** The languages that the terminal can speak. */
export function terminalLanguages(): Language[] {
  return languagesIn(LOCALES);
}

export function loadTexts(language: Language): Texts {
  return readTexts(LOCALES, language);
}

/** The language of the terminal, as POSIX systems and Windows say it. */
export function terminalLanguage(environment: NodeJS.ProcessEnv = process.env): Language {
  const named = environment['LC_ALL'] || environment['LC_MESSAGES'] || environment['LANG'] || '';
  const spoken = named === '' ? Intl.DateTimeFormat().resolvedOptions().locale : named;
  return suiting(spoken, terminalLanguages());
}
