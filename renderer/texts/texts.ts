/** Every word on the screen, in the language of the moment. */
import type { Language } from '../../app/texts/language.ts';
import { createTexts, type Texts } from '../../app/texts/texts.ts';
import { messagesIn, type TextKey } from './languages.ts';

export type WindowTexts = Texts<TextKey>;
/** Says a text with its values filled in. */
export type T = WindowTexts['t'];

const made = new Map<Language, WindowTexts>();

export function textsOf(language: Language): WindowTexts {
  const known = made.get(language);
  if (known !== undefined) return known;
  const texts = createTexts<TextKey>(language, messagesIn(language));
  made.set(language, texts);
  return texts;
}
