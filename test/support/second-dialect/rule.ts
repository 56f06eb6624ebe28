/** What a profile says of a Lantern app, and the dialect's words for what its commands are for. */
import { z } from 'zod';
import { keyCandidateSchema } from '../../../app/dialects/key-slots.ts';
import { factorSource } from '../../../app/dialects/rule-fields.ts';

/** The one key of a Lantern app. */
export const DOOR = 'door';

export const ruleFields = z.strictObject({
  dialect: z.literal('lantern'),
  /** Wrong keys in a row after which the door stays shut. */
  tries: z.number().int().min(2).max(15),
  delivered: z.strictObject({ version: z.number().int().min(1), factor: factorSource }),
});
export type LanternRule = z.infer<typeof ruleFields>;

const keys = z.array(keyCandidateSchema);

export const meaningSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('find') }),
  z.object({ kind: z.literal('state') }),
  z.object({ kind: z.literal('random') }),
  /** `before`: the keys that could be on the card when the door was knocked at. */
  z.object({ kind: z.literal('open'), key: keyCandidateSchema, before: keys }),
  z.object({ kind: z.literal('change'), key: keyCandidateSchema, before: keys }),
  z.object({ kind: z.literal('mark') }),
]);
export type LanternMeaning = z.infer<typeof meaningSchema>;

export const notesSchema = z.object({
  random: z.string().optional(),
  open: z.literal(true).optional(),
  stateRead: z.literal(true).optional(),
});
