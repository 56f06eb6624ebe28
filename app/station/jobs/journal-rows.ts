/** What one job looks like in the station's journal, and the tables that hold it. */
import { z } from 'zod';
import { errorCodeSchema } from '../../protocol/errors.ts';
import {
  answersRequestSchema,
  batchSchema,
  jobRequestSchema,
  outcomeSchema,
  planSummarySchema,
} from '../../protocol/wire.ts';

/**
 * How far a job is on disk. `requested`: the request may have left. `replied`: a batch is kept for a card that is away.
 * `started`: commands of the batch may have reached the card. `answered`: answers wait to be posted. `ended`: nothing left to do.
 */
export const jobPhaseSchema = z.enum(['requested', 'replied', 'started', 'answered', 'ended']);
export type JobPhase = z.infer<typeof jobPhaseSchema>;

/** One migration a version; never changed once released. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE jobs (
     requestId TEXT PRIMARY KEY,
     created INTEGER NOT NULL,
     reader TEXT NOT NULL,
     identification TEXT NOT NULL,
     phase TEXT NOT NULL,
     epoch INTEGER NOT NULL,
     bound INTEGER NOT NULL,
     abandoned INTEGER NOT NULL,
     request TEXT,
     job TEXT,
     plan TEXT,
     seq INTEGER,
     batch TEXT,
     effect INTEGER,
     answers TEXT,
     outcome TEXT,
     error TEXT,
     ended INTEGER
   ) STRICT;
   CREATE INDEX jobsByPhase ON jobs (phase);
   CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;`,
  `ALTER TABLE jobs ADD COLUMN receipt TEXT;
   ALTER TABLE jobs ADD COLUMN receiptSentFor INTEGER NOT NULL DEFAULT 0;`,
];

/** A column that holds JSON of a given shape, or nothing. */
function json<T>(schema: z.ZodType<T>) {
  return z
    .string()
    .nullable()
    .transform((text, context): T | null => {
      if (text === null) return null;
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'not JSON' });
        return z.NEVER;
      }
      const result = schema.safeParse(value);
      if (result.success) return result.data;
      context.addIssue({ code: 'custom', message: result.error.issues[0]?.message ?? 'invalid' });
      return z.NEVER;
    });
}

const flag = z.union([z.literal(0), z.literal(1)]).transform((value) => value === 1);

export const journalJobSchema = z.object({
  /** The station's own name for the job. */
  requestId: z.uuid(),
  /** Milliseconds since 1970. */
  created: z.number().int(),
  /** Where the job was begun. */
  reader: z.string(),
  /** The card's identification code: how the card is found again. */
  identification: z.string().min(1),
  phase: jobPhaseSchema,
  epoch: z.number().int().min(0),
  /** Whether a card has been in a reader under this epoch; a bound epoch is over when that card went. */
  bound: flag,
  abandoned: flag,
  request: json(jobRequestSchema),
  /** The server's name for the job, once it answered. */
  job: z.string().nullable(),
  plan: json(planSummarySchema),
  /** Of the batch in hand, or of the answers that wait. */
  seq: z.number().int().min(1).nullable(),
  batch: json(batchSchema),
  /** Index of the last effect command that was about to be sent. */
  effect: z.number().int().min(0).nullable(),
  answers: json(answersRequestSchema),
  outcome: json(outcomeSchema),
  error: errorCodeSchema.nullable(),
  ended: z.number().int().nullable(),
});
export type JournalJob = z.infer<typeof journalJobSchema>;
