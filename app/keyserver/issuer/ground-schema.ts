/** What a fact on record rests on. */
import { z } from 'zod';

/**
 * What the last installation or deletion of an app rests on. `proven`: the card's own MAC on its answer. `seen`: looked up in a secure channel
 * whose answers carry a MAC. Absent: a station's word, of which nothing but its job tells.
 */
export const groundSchema = z.enum(['proven', 'seen']);
export type Ground = z.infer<typeof groundSchema>;
