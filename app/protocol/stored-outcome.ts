/**
 * Outcomes that were kept, by the server or by a station, read in either form. Older versions of this program wrote an app's key versions as
 * `mckVersion` and `mtkVersion`, whatever keys the app had: only FMCOS applications existed. Nothing writes that form any more; reading it
 * stays, because jobs stay in the store for good and a station may give a receipt back years later. What goes over the wire has the new form
 * only (wire.ts). Pure.
 */
import { z } from 'zod';
import {
  type AppOutcome,
  appOutcomeSchema,
  jobReplySchema,
  keyVersionSchema,
  LIMITS,
  outcomeSchema,
  stepBatchReplySchema,
  stepOutcomeReplySchema,
} from './wire.ts';

/** The older form always had both members. With one of them missing, or beside `keyVersions`, no version of ours wrote it: it is refused. */
const olderAppOutcomeSchema = appOutcomeSchema
  .omit({ keyVersions: true })
  .extend({ mckVersion: keyVersionSchema, mtkVersion: keyVersionSchema })
  .transform(
    ({ mckVersion, mtkVersion, ...told }): AppOutcome => ({
      ...told,
      keyVersions: { mck: mckVersion, mtk: mtkVersion },
    }),
  );

/** An outcome out of the store, a journal or a receipt. */
export const storedOutcomeSchema = outcomeSchema.extend({
  apps: z.array(z.union([appOutcomeSchema, olderAppOutcomeSchema])).max(LIMITS.apps),
});

/** A reply to a job's request, as the store keeps it. */
export const storedJobReplySchema = jobReplySchema.extend({ outcome: storedOutcomeSchema.optional() });

/** A reply to a step, as the store keeps it. */
export const storedStepReplySchema = z.union([
  stepBatchReplySchema,
  stepOutcomeReplySchema.extend({ outcome: storedOutcomeSchema }),
]);
