/** What one job looks like in the station's journal, and the tables that hold it. Pure. */
import { z } from 'zod';
import { errorCodeSchema } from '../../../protocol/errors.ts';
import { storedOutcomeSchema } from '../../../protocol/stored-outcome.ts';
import {
  answersRequestSchema,
  batchSchema,
  jobRequestSchema,
  planSummarySchema,
} from '../../../protocol/wire.ts';

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
  `CREATE TABLE tries (card TEXT NOT NULL, key TEXT NOT NULL, lost INTEGER NOT NULL, PRIMARY KEY (card, key)) STRICT;`,
];

/** A column that holds JSON of a given shape. */
function json<T>(schema: z.ZodType<T>) {
  return z.string().transform((text, context): T => {
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

const head = {
  /** The station's own name for the job. */
  requestId: z.uuid(),
  /** Milliseconds since 1970. */
  created: z.number().int(),
  /** Where the job was begun. */
  reader: z.string(),
  /** The card's identification code: how the card is found again. */
  identification: z.string().min(1),
  epoch: z.number().int().min(0),
  /** Whether a card has been in a reader under this epoch; a bound epoch is over when that card went. */
  bound: flag,
  abandoned: flag,
};

/** The reader as it is called here, which may be more than may be told: it is told when the request is sent (jobs/asking.ts). */
const keptRequestSchema = jobRequestSchema.extend({ reader: z.string().min(1) });

const begun = {
  ...head,
  request: json(keptRequestSchema),
  /** The server's name for the job. */
  job: z.string(),
  plan: json(planSummarySchema),
};

/** How far a job is on disk, and what is there of it then. Columns that mean nothing in a phase are NULL and not read. */
export const journalJobSchema = z.discriminatedUnion('phase', [
  /** The request may have left. */
  z.object({ ...head, phase: z.literal('requested'), request: json(keptRequestSchema) }),
  /** A batch is kept; none of its commands was sent. */
  z.object({ ...begun, phase: z.literal('replied'), batch: json(batchSchema) }),
  z.object({
    ...begun,
    /** Commands of the batch may have reached the card. */
    phase: z.literal('started'),
    batch: json(batchSchema),
    /** Index of the last command with an effect that was about to be sent; null before the first. */
    effect: z.number().int().min(0).nullable(),
  }),
  z.object({
    ...begun,
    /** Answers wait to be posted, or for the reply to them. */
    phase: z.literal('answered'),
    seq: z.number().int().min(1),
    answers: json(answersRequestSchema),
  }),
  z.object({
    ...head,
    phase: z.literal('ended'),
    outcome: json(storedOutcomeSchema).nullable(),
    error: errorCodeSchema.nullable(),
  }),
]);
export type JournalJob = z.infer<typeof journalJobSchema>;

/** A job that the server may still have to be told of. */
export type UnfinishedJob = Exclude<JournalJob, { readonly phase: 'ended' }>;
