/** GET /v1/cards: finding cards in the record by who, which and when (docs/api.md). */
import { z } from 'zod';
import { deedSchema, jobEndSchema } from './card-record.ts';
import { setAsideSchema } from './set-aside.ts';
import { API_LEVEL, accountSchema, appIdSchema, appStateSchema, identificationSchema } from './wire.ts';

/** Most cards of a page. */
export const MOST_CARDS = 100;

/** Where a page goes on: made by the server, given back as it is. */
export const cursorSchema = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_-]+$/);

const count = z
  .string()
  .regex(/^[1-9][0-9]{0,2}$/)
  .transform(Number)
  .pipe(z.number().max(MOST_CARDS));

/** Every condition that is given must hold for one and the same job on the card. */
export const cardSearchSchema = z.strictObject({
  /** Identification code. */
  card: identificationSchema.optional(),
  account: accountSchema.optional(),
  operator: z.string().min(1).max(64).optional(),
  /** Jobs that began at or after this time, and before that one. */
  from: z.iso.datetime().optional(),
  before: z.iso.datetime().optional(),
  limit: count.optional(),
  after: cursorSchema.optional(),
});
export type CardSearch = z.infer<typeof cardSearchSchema>;

/** Cards, each once, those with the newest job that fits first. */
export const cardPageSchema = z.strictObject({
  apiLevel: z.literal(API_LEVEL),
  cards: z.array(
    z.strictObject({
      card: z.string(),
      cardType: z.string(),
      account: z.string(),
      issued: z.boolean(),
      setAside: setAsideSchema.nullable(),
      apps: z.array(z.strictObject({ app: appIdSchema, state: appStateSchema })),
      /** The newest job that fits. */
      found: deedSchema.extend({ result: jobEndSchema }),
    }),
  ),
  /** For `after`; null on the last page. */
  next: z.string().nullable(),
});
export type CardPage = z.infer<typeof cardPageSchema>;
