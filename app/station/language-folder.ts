/** The languages as they lie in a folder: `locales/LANGUAGE/NAME.json`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeTextFile } from '../card/text-file.ts';
import { inOrder, type Language, type LanguageFiles } from '../texts/language.ts';
import { checkedMessages } from '../texts/schema.ts';
import { createTexts, type Texts } from '../texts/texts.ts';

/** @throws Error when the folder cannot be read */
export function languagesIn(locales: string): Language[] {
  return readdirSync(locales, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort(inOrder);
}

/** The files of one language. @throws Error naming the file that cannot be read */
export function languageFiles(locales: string, language: Language): LanguageFiles {
  const folder = join(locales, language);
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return Object.fromEntries(
    names.map((name): [string, unknown] => [
      name.slice(0, -'.json'.length),
      JSON.parse(decodeTextFile(readFileSync(join(folder, name)))),
    ]),
  );
}

/** The texts of one language. @throws z.ZodError what is missing or too much */
export function readTexts(locales: string, language: Language): Texts {
  return createTexts(language, checkedMessages(languageFiles(locales, language)));
}
