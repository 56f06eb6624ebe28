/** Texts of one language with their values filled in: plurals, numbers, dates and money as ICU messages say. Pure. */
import { IntlMessageFormat } from 'intl-messageformat';
import type { ErrorCode, ErrorDetails } from '../protocol/errors.ts';
import type { StepName } from '../protocol/wire.ts';
import { type ErrorText, type Language, type Messages, named } from './language.ts';

type TextValues = Readonly<Record<string, string | number | Date>>;

/** `Key`: the keys that may be asked for. Where they are listed (renderer/texts/languages.ts), a misspelt key does not compile. */
export interface Texts<Key extends string = string> {
  readonly language: Language;
  readonly t: (key: Key, values?: TextValues) => string;
  /** An error's text; `name` turns an app's id into its name. */
  readonly error: (code: ErrorCode, details?: ErrorDetails, name?: (app: string) => string) => ErrorText;
  /** What a command is for, in staff's words. */
  readonly step: (step: StepName) => string;
  /** Things one after the other, as the language separates them. */
  readonly list: (things: readonly string[]) => string;
  /** A name that a configuration has in several languages. */
  readonly named: (names: Readonly<Record<Language, string>>) => string;
}

/** Says a message of ICU. @throws SyntaxError a message that is not one; FormatError a value that it asks for is missing */
type Say = (message: string, values?: TextValues) => string;

/** Parses a message when it is first said and keeps it: parsing costs more than filling in, and few messages are ever said. */
function createSay(language: Language): {
  readonly say: Say;
  readonly parse: (message: string) => IntlMessageFormat;
} {
  const parsed = new Map<string, IntlMessageFormat>();
  const parse = (message: string): IntlMessageFormat => {
    const known = parsed.get(message);
    if (known !== undefined) return known;
    // Texts are words, not markup: a `<` is a `<`.
    const fresh = new IntlMessageFormat(message, language, undefined, { ignoreTag: true });
    parsed.set(message, fresh);
    return fresh;
  };
  const say: Say = (message, values = {}) => {
    const said: unknown = parse(message).format({ ...values });
    return Array.isArray(said) ? said.join('') : String(said);
  };
  return { say, parse };
}

/** Words of screens only, for a caller that shows no errors: main with its own dialog. */
export function createWords(
  language: Language,
  words: Readonly<Record<string, string>>,
): (key: string, values?: TextValues) => string {
  const { say } = createSay(language);
  return (key, values) => say(words[key] ?? key, values);
}

export function createTexts<Key extends string = string>(language: Language, messages: Messages): Texts<Key> {
  const { say, parse } = createSay(language);
  const { words } = messages;
  const reasons: Readonly<Record<string, string>> = messages.reasons;
  const list = (things: readonly string[]) => things.join(words['common.list'] ?? ', ');

  /**
   * What a detail of an error is in words; undefined when there is nothing to say. A reason that has no text here, from a server
   * newer than this program, is left out: staff would be shown its code.
   */
  const wordsOf = (key: string, value: ErrorDetails[string], name: (app: string) => string) => {
    if (Array.isArray(value)) return value.length === 0 ? undefined : list(value.map(name));
    return key === 'reason' ? reasons[value] : value;
  };
  const error: Texts<Key>['error'] = (code, details = {}, name = (app) => app) => {
    const { detail, ...text } = messages.errors[code];
    if (detail === undefined) return text;
    const values: Record<string, string | number> = {};
    for (const [key, given] of Object.entries(details)) {
      const value = wordsOf(key, given, name);
      if (value !== undefined) values[key] = value;
    }
    const whole = valuesIn(parse(detail)).every((wanted) => Object.hasOwn(values, wanted));
    return whole ? { ...text, detail: say(detail, values) } : text;
  };

  return {
    language,
    t: (key, values) => say(words[key] ?? key, values),
    error,
    list,
    step: (step) => messages.steps[step],
    named: (names) => named(names, language),
  };
}

/** The names of the values that a message needs: `app` of `{app}`. Formatting it without one of them throws. */
export function valuesIn(message: IntlMessageFormat): string[] {
  return (
    message
      .getAst()
      // Type 0 is literal text, whose `value` is the text itself and no name.
      .flatMap((element) => ('value' in element && element.type !== 0 ? [element.value] : []))
  );
}
