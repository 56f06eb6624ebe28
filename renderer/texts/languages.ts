/// <reference path="../../electron/bundler.d.ts" />
/** The languages of the page: every folder of resources/locales that was there when it was built. */
import {
  byLanguage,
  gathered,
  HOUSE_LANGUAGE,
  type Language,
  type Messages,
} from '../../app/texts/language.ts';
import type common from '../../resources/locales/zh-CN/common.json';
import type counter from '../../resources/locales/zh-CN/counter.json';
import type entrance from '../../resources/locales/zh-CN/entrance.json';
import type history from '../../resources/locales/zh-CN/history.json';
import type shell from '../../resources/locales/zh-CN/shell.json';

/** Keys of the house's language, which every other one has too (test/texts). */
export type TextKey =
  | keyof typeof common
  | keyof typeof counter
  | keyof typeof entrance
  | keyof typeof history
  | keyof typeof shell;

const FILES = import.meta.glob<unknown>(
  ['../../resources/locales/*/*.json', '!../../resources/locales/*/terminal.json'],
  { eager: true, import: 'default' },
);

/** Not checked here: test/texts checks every folder, and the schemas for it would make the window's program larger. */
const MESSAGES = new Map(
  [...byLanguage(FILES)].map(([language, files]) => [language, gathered(files) as Messages]),
);

export const LANGUAGES: readonly Language[] = [...MESSAGES.keys()];

/** Those of the house's language where there are none of this one. */
export function messagesIn(language: Language): Messages {
  const found = MESSAGES.get(language) ?? MESSAGES.get(HOUSE_LANGUAGE);
  if (found === undefined) throw new Error('the page was built without texts');
  return found;
}
