/** The texts of resources/locales, as whoever runs the program reads them. */
import { fileURLToPath } from 'node:url';
import { languageFiles, languagesIn, readTexts } from '../../app/station/language-folder.ts';
import type { Messages } from '../../app/texts/language.ts';
import { checkedMessages } from '../../app/texts/schema.ts';
import type { Texts } from '../../app/texts/texts.ts';

export const LOCALES = fileURLToPath(new URL('../../resources/locales/', import.meta.url));
/** Every language there is. */
export const LANGUAGES = languagesIn(LOCALES);

export function messagesIn(language: string): Messages {
  return checkedMessages(languageFiles(LOCALES, language));
}

export function textsIn(language: string): Texts {
  return readTexts(LOCALES, language);
}
