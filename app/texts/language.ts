/**
 * The product's languages: one folder each under resources/locales, named by its BCP 47 tag. No code lists them, so a new
 * language is a new folder and nothing else. Pure: whoever calls reads the files.
 */
import type { ErrorCode } from '../protocol/errors.ts';
import type { SetAsideCode } from '../protocol/set-aside.ts';
import type { StepName } from '../protocol/wire.ts';

/** A language's tag: `zh-CN`, `en`. */
export type Language = string;

/** The language that the product is written in: the first in the settings, and the one used where nobody has chosen. */
export const HOUSE_LANGUAGE: Language = 'zh-CN';

/** What happened, how the card is now, what to do next. `detail` is said when every {value} in it is known. */
export interface ErrorText {
  readonly what: string;
  readonly card: string;
  readonly next: string;
  readonly detail?: string | undefined;
}

/** The texts of one language, each an ICU message. All files with words of screens are merged into `words`. */
export interface Messages {
  readonly errors: Readonly<Record<ErrorCode, ErrorText>>;
  /** Why a card was set aside. */
  readonly reasons: Readonly<Record<SetAsideCode, string>>;
  readonly steps: Readonly<Record<StepName, string>>;
  /** Words of the window and the terminal, by key. */
  readonly words: Readonly<Record<string, string>>;
}

/** The files of one language's folder, parsed, by their names without `.json`. */
export type LanguageFiles = Readonly<Record<string, unknown>>;

/** The files that hold something else than words of screens, and the part of Messages that each becomes. */
const OWN_SHAPE = { errors: 'errors', 'set-aside': 'reasons', steps: 'steps' } as const;

/** Merges a folder's files into the shape of Messages, unchecked. checkedMessages (schema.ts) checks the result. */
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

/** Sorts files, given by their paths (`…/LANGUAGE/NAME.json`, as bundlers give them), by language and name. */
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

/** Picks the name in this language out of one that the configuration gives in several; else the house's, else any. */
export function named(names: Readonly<Record<Language, string>>, language: Language): string {
  return names[language] ?? names[HOUSE_LANGUAGE] ?? Object.values(names)[0] ?? '';
}
