/** What a fact on record rests on. */
import { z } from 'zod';

/** By what. `proven`: the card's own MAC on its answer to an installation or a deletion. `seen`: the card's own list of its apps, with its MAC. */
export const groundKindSchema = z.enum(['proven', 'seen']);

const stepSchema = z.strictObject({ job: z.string(), at: z.iso.datetime() });

/**
 * What the record's word on whether an app is on the card rests on, and since when: the job in which the card said so. `in` is null where an older
 * version kept no note of it, and absent until the step that found it out is about to be written. Receipts of an older version have the kind alone.
 */
export const groundSchema = z.union([
  groundKindSchema.transform((by) => ({ by, in: null })),
  z.strictObject({ by: groundKindSchema, in: stepSchema.nullable().exactOptional() }),
]);
export type Ground = z.infer<typeof groundSchema>;
