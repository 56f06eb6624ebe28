/** What an FMCOS command is for, and what its answer leaves for the next one: JSON, kept in the store between two steps. */
import { z } from 'zod';
import { keyCandidateSchema } from '../key-slots.ts';
import { MCK, MTK } from './roles.ts';

export const meaningSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('select-app') }),
  z.object({ kind: z.literal('read-flag') }),
  z.object({ kind: z.literal('challenge') }),
  /** `key`: the candidate that the cryptogram was made with. */
  z.object({ kind: z.literal('authenticate'), key: keyCandidateSchema }),
  /** `before`: what could be in the slot before this write was meant. */
  z.object({
    kind: z.literal('write'),
    slot: z.enum([MCK, MTK]),
    key: keyCandidateSchema,
    before: z.array(keyCandidateSchema),
  }),
  z.object({ kind: z.literal('flag') }),
]);
export type FmcosMeaning = z.infer<typeof meaningSchema>;

export const notesSchema = z.object({
  /** The card's random of the command just before, hexadecimal: good for one command. */
  challenge: z.string().optional(),
  /** The master control key has let us in, in this life of the card. */
  authenticated: z.literal(true).optional(),
  /** The flag was read, and did not say enabled. */
  flagRead: z.literal(true).optional(),
});
export type FmcosNotes = z.infer<typeof notesSchema>;
