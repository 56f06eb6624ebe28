/** What staff read: texts of resources/locales, checked whole when they are loaded. Pure; reading the file is the caller's. */
import { z } from 'zod';
import { ERROR_CODES } from '../protocol/errors.ts';
import { SET_ASIDE_CODES } from '../protocol/set-aside.ts';
import { stepNameSchema } from '../protocol/wire.ts';

export { type ErrorText, errorText, LOCALES, type Locale, stepText } from './texts.ts';

export const errorTextSchema = z.strictObject({
  what: z.string().min(1),
  card: z.string().min(1),
  next: z.string().min(1),
  detail: z.string().min(1).optional(),
});

/** One locale's file: a text for every error and every step, and no other; and the window's own words, by place. */
export const messagesSchema = z.strictObject({
  errors: z.record(z.enum(ERROR_CODES), errorTextSchema),
  /** Why a card was set aside. */
  reasons: z.record(z.enum(SET_ASIDE_CODES), z.string().min(1)),
  steps: z.record(stepNameSchema, z.string().min(1)),
  ui: z.record(z.string().regex(/^[a-z]+(?:[.-][a-z]+)+$/), z.string().min(1)),
});
export type Messages = z.infer<typeof messagesSchema>;
