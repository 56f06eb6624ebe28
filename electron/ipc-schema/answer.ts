/** How a call is answered: with a value, or with the code of an error. */
import { z } from 'zod';
import type { ErrorCode, ErrorDetails } from '../../app/protocol/errors.ts';
import { faultSchema } from './views.ts';

type Refusal = { readonly ok: false; readonly code: ErrorCode; readonly details: ErrorDetails };
export type Answer<T> = { readonly ok: true; readonly value: T } | Refusal;

/** Checks only whether it is an answer; `value` is then checked against the schema of the call. */
export const answerSchema = z.union([
  z.strictObject({ ok: z.literal(true), value: z.unknown() }),
  faultSchema.extend({ ok: z.literal(false) }),
]);

export const refusal = (code: ErrorCode, details: ErrorDetails = {}): Refusal => ({
  ok: false,
  code,
  details,
});
