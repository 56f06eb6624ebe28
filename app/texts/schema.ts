/** What a language's folder must hold. Not in texts.ts, because the window loads that file and needs no schemas. */
import { z } from 'zod';
import { ERROR_CODES } from '../protocol/errors.ts';
import { SET_ASIDE_CODES } from '../protocol/set-aside.ts';
import { stepNameSchema } from '../protocol/wire.ts';
import { gathered, type LanguageFiles, type Messages } from './language.ts';

const text = z.string().min(1);
const errorTextSchema = z.strictObject({ what: text, card: text, next: text, detail: text.optional() });

const messagesSchema = z.strictObject({
  errors: z.record(z.enum(ERROR_CODES), errorTextSchema),
  reasons: z.record(z.enum(SET_ASIDE_CODES), text),
  steps: z.record(stepNameSchema, text),
  words: z.record(z.string().regex(/^[a-z]+(?:[.-][a-z]+)+$/), text),
});

/**
 * A text for every error, reason and step, and no other.
 * @throws z.ZodError what is missing or too much
 */
export function checkedMessages(files: LanguageFiles): Messages {
  return messagesSchema.parse(gathered(files));
}
