/** What staff read: texts of resources/locales, checked whole when they are loaded. Pure; reading the file is the caller's. */
import { z } from 'zod';
import { ERROR_CODES, type ErrorCode, type ErrorDetails } from '../protocol/errors.ts';
import { type StepName, stepNameSchema } from '../protocol/wire.ts';

export const LOCALES = ['zh-CN', 'en'] as const;
export type Locale = (typeof LOCALES)[number];

/** What happened, how the card is now, what to do next. `detail` is said when every {value} in it is known. */
export const errorTextSchema = z.strictObject({
  what: z.string().min(1),
  card: z.string().min(1),
  next: z.string().min(1),
  detail: z.string().min(1).optional(),
});
export type ErrorText = z.infer<typeof errorTextSchema>;

/** One locale's file: a text for every error and every step, and no other. */
export const messagesSchema = z.strictObject({
  errors: z.record(z.enum(ERROR_CODES), errorTextSchema),
  steps: z.record(stepNameSchema, z.string().min(1)),
});
export type Messages = z.infer<typeof messagesSchema>;

/** The text of an error with its details filled in. `name` turns an app's id into its name; lists are joined with 、 or a comma. */
export function errorText(
  messages: Messages,
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
    return String(value ?? '');
  });
  return whole ? { ...text, detail: filled } : text;
}

/** What a command is for, in staff's words. */
export function stepText(messages: Messages, step: StepName): string {
  return messages.steps[step];
}
