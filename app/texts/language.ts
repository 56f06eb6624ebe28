/**
 * The languages there are: one folder each under resources/locales, named by its BCP 47 tag. Nothing else in the program lists
 * them, so that another folder is another language. Pure; reading files is the caller's.
 */
import type { ErrorCode } from '../protocol/errors.ts';
import type { SetAsideCode } from '../protocol/set-aside.ts';
import type { StepName } from '../protocol/wire.ts';

/** A language's tag: `zh-CN`, `en`. */
export type Language = string;

/** The language that the product is written in. It is named first, and shown where nobody has said which. */
export const HOUSE_LANGUAGE: Language = 'zh-CN';

/** What happened, how the card is now, what to do next. `detail` is said when every {value} in it is known. */
export interface ErrorText {
  readonly what: string;
  readonly card: string;
  readonly next: string;
  readonly detail?: string | undefined;
}

/** The texts of one language, as messages of ICU: a folder's files by name, those with words of screens as one. */
export interface Messages {
  readonly errors: Readonly<Record<ErrorCode, ErrorText>>;
  /** Why a card was set aside. */
  readonly reasons: Readonly<Record<SetAsideCode, string>>;
  readonly steps: Readonly<Record<StepName, string>>;
  /** Words of the window and the terminal, by key. */
  readonly words: Readonly<Record<string, string>>;
}

/** A folder's files by name without `.json`, as they were read. */
export type LanguageFiles = Readonly<Record<string, unknown>>;

/** Files that are no words of a screen: each has a shape of its own. */
export const OWN_SHAPE = { errors: 'errors', 'set-aside': 'reasons', steps: 'steps' } as const;

/** Puts a folder's files together. Nothing of them is checked: messagesSchema does that. */
export function gathered(files: LanguageFiles): { readonly [Part in keyof Messages]?: unknown } {
  const apart = Object.entries(files).flatMap(([name, file]): [string, unknown][] =>
    isOwnShape(name) ? [[OWN_SHAPE[name], file]] : [],
  );
  const words: Record<string, unknown> = {};
  for (const [name, file] of Object.entries(files)) if (!isOwnShape(name)) Object.assign(words, file);
  return { ...Object.fromEntries(apart), words };
}

function isOwnShape(name: string): name is keyof typeof OWN_SHAPE {
  return Object.hasOwn(OWN_SHAPE, name);
}

/** Files of all languages by their path, `…/LANGUAGE/NAME.json`, as bundlers give them: the files of each language. */
export function byLanguage<File>(
  paths: Readonly<Record<string, File>>,
): Map<Language, Readonly<Record<string, File>>> {
  const found = new Map<Language, Readonly<Record<string, File>>>();
  for (const [path, file] of Object.entries(paths)) {
    const [, language, name] = /([^/]+)\/([^/]+)\.json$/.exec(path) ?? [];
    if (language === undefined || name === undefined) continue;
    found.set(language, { ...found.get(language), [name]: file });
  }
  return new Map([...found].sort(([one], [other]) => inOrder(one, other)));
}

/** The house's language first, the others by tag. */
export function inOrder(one: Language, other: Language): number {
  if (one === other) return 0;
  if (one === HOUSE_LANGUAGE || other === HOUSE_LANGUAGE) return one === HOUSE_LANGUAGE ? -1 : 1;
  return one < other ? -1 : 1;
}

/** The language that suits what the system speaks (`en-GB`, `zh_TW.UTF-8`): the same, or else a relative of it, or else English. */
export function suiting(spoken: string, languages: readonly Language[]): Language {
  const [tag = ''] = spoken.replaceAll('_', '-').split('.');
  const family = (language: string) => language.split('-')[0]?.toLowerCase();
  return (
    languages.find((one) => one.toLowerCase() === tag.toLowerCase()) ??
    languages.find((one) => family(one) === family(tag)) ??
    languages.find((one) => family(one) === 'en') ??
    HOUSE_LANGUAGE
  );
}

/** A name that a configuration has in several languages: in this one, or else in the house's. */
export function named(names: Readonly<Record<Language, string>>, language: Language): string {
  return names[language] ?? names[HOUSE_LANGUAGE] ?? Object.values(names)[0] ?? '';
}
