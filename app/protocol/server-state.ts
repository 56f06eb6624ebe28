/** What a station may ask about the server itself, and about who is signed in. */
import { z } from 'zod';
import { API_LEVEL } from './wire.ts';

const apiLevel = z.literal(API_LEVEL);

/** GET /v1/health. */
export const healthSchema = z.strictObject({ apiLevel, status: z.literal('ok') });

/** GET /v1/ready: whether it can serve now, and what that is made of. */
export const readinessSchema = z.strictObject({
  apiLevel,
  ready: z.boolean(),
  store: z.boolean(),
  hsm: z.boolean(),
  stopping: z.boolean(),
});

/** GET /v1/sessions/current: the session of the token that came with the question; null without a running one. */
export const currentSessionSchema = z.strictObject({
  apiLevel,
  session: z
    .strictObject({
      operator: z.strictObject({ id: z.string(), name: z.string() }),
      expires: z.iso.datetime(),
    })
    .nullable(),
});
export type CurrentSession = z.infer<typeof currentSessionSchema>;
