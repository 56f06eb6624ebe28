/** Texts out of a locale's file. Pure, and light: the window has this too, without the schemas of messages.ts. */
import type { ErrorCode, ErrorDetails } from '../protocol/errors.ts';
import type { StepName } from '../protocol/wire.ts';

export const LOCALES = ['zh-CN', 'en'] as const;
export type Locale = (typeof LOCALES)[number];

/** What happened, how the card is now, what to do next. `detail` is said when every {value} in it is known. */
export interface ErrorText {
  readonly what: string;
  readonly card: string;
  readonly next: string;
  readonly detail?: string | undefined;
}

/**
 * The text of an error with its details filled in. `name` turns an app's id into its name; lists are joined with 、 or a comma; a reason is
 * said in its own words.
 */
export function errorText(
  messages: {
    readonly errors: Readonly<Record<ErrorCode, ErrorText>>;
    readonly reasons: Readonly<Record<string, string>>;
  },
  locale: Locale,
  code: ErrorCode,
  details: ErrorDetails = {},
  name: (app: string) => string = (app) => app,
): ErrorText {
  const { detail, ...text } = messages.errors[code];
  if (detail === undefined) return text;
  let whole = true;
  const filled = detail.replace(/\{(\w+)\}/g, (_, key: string) => {
    const value = details[key];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) whole = false;
    if (Array.isArray(value)) return value.map(name).join(locale === 'zh-CN' ? '、' : ', ');
    if (key === 'reason' && typeof value === 'string') return messages.reasons[value] ?? value;
    return String(value ?? '');
  });
  return whole ? { ...text, detail: filled } : text;
}

/** What a command is for, in staff's words. */
export function stepText(
  messages: { readonly steps: Readonly<Record<StepName, string>> },
  step: StepName,
): string {
  return messages.steps[step];
}
