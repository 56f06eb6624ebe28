/** The state of a job, as the store keeps it between two steps: everything that any server instance needs to go on. */
import { z } from 'zod';
import { appMeaningSchema, notesSchema } from '../../dialects/dialect.ts';
import { keyCandidateSchema } from '../../dialects/key-slots.ts';
import { errorCodeSchema } from '../../protocol/errors.ts';
import { appIdSchema, appStateSchema, commandSchema } from '../../protocol/wire.ts';
import { gripSchema } from './account-grip.ts';
import { domainKeySetSchema } from './domain-keys.ts';
import { storedSetAsideSchema } from './set-aside-stored.ts';

const hex = z.string().regex(/^(?:[0-9A-F]{2})*$/);

const issuerMeaningSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('pass') }),
  z.strictObject({ kind: z.literal('identify') }),
  /** For the dialect of the plan step's app, in words of its own. */
  z.strictObject({ kind: z.literal('app'), means: appMeaningSchema }),
  z.strictObject({ kind: z.literal('balance'), app: appIdSchema }),
  z.strictObject({ kind: z.literal('probe'), app: appIdSchema }),
  z.strictObject({ kind: z.literal('gone'), app: appIdSchema }),
  /** `foretold`: its answer was computed beforehand, is this, and what needs it stands behind it. */
  z.strictObject({
    kind: z.literal('initialize-update'),
    hostChallenge: hex,
    foretold: hex.nullable().default(null),
  }),
  /** `finishes`: the move to the issuer's own keys is done with it. */
  z.strictObject({ kind: z.literal('channel'), finishes: z.boolean().default(false) }),
  z.strictObject({ kind: z.literal('put-keys'), from: domainKeySetSchema, to: domainKeySetSchema }),
  z.strictObject({ kind: z.literal('domain'), finishes: z.boolean() }),
  z.strictObject({ kind: z.literal('card-state'), finishes: z.boolean() }),
  z.strictObject({ kind: z.literal('leftover'), app: appIdSchema }),
  z.strictObject({ kind: z.literal('clean'), app: appIdSchema, wasInDoubt: z.boolean() }),
  /** `whole`: hash of the load file, of which this was the last block. */
  z.strictObject({ kind: z.literal('load'), app: appIdSchema, whole: hex.nullable().default(null) }),
  /** `alone`: of a package that an earlier batch has loaded. */
  z.strictObject({
    kind: z.literal('install'),
    app: appIdSchema,
    loadFileHash: hex,
    alone: z.boolean().default(false),
  }),
  /** `wasInDoubt`: before it went out. Jobs of an older version do not say so. */
  z.strictObject({ kind: z.literal('delete'), app: appIdSchema, wasInDoubt: z.boolean().default(false) }),
  /** The card's list of its apps, asked for because nobody knows of these whether they are there. */
  z.strictObject({ kind: z.literal('look'), apps: z.array(appIdSchema) }),
  /** The card shows that it is there: SELECT of its domain (null), and its cryptogram over a challenge. */
  z.strictObject({ kind: z.literal('presence'), hostChallenge: hex.nullable() }),
]);
export type Meaning = z.infer<typeof issuerMeaningSchema>;

/**
 * What a command that went out is for, and so what its answer means. Jobs that an earlier version of this program began have the dialect's
 * words where `app` stands now.
 */
const meaningSchema = z.union([
  issuerMeaningSchema,
  appMeaningSchema.transform((means): Meaning => ({ kind: 'app', means })),
]);

/** A command that is out: what its answer will mean and what was acceptable. Its bytes are in the sealed reply only. */
const sentSchema = z.strictObject({
  step: z.number().int().min(0),
  meaning: meaningSchema,
  accept: commandSchema.shape.accept,
  expect: commandSchema.shape.expect,
  /** Its answer comes back with an R-MAC: it is checked, and read, before it means anything. */
  guarded: z.boolean().default(false),
  /** As `expect`, of a guarded answer once it is opened; the station cannot compare it. */
  expectOpened: commandSchema.shape.expect,
  label: commandSchema.shape.label,
});
export type Sent = z.infer<typeof sentSchema>;

/** How far one wished app has come. */
const appProgressSchema = z.strictObject({
  /** `renew` is nobody's wish: the app is enabled, and moved to the versions of its keys that are active. */
  action: z.enum(['enable', 'delete', 'renew']),
  before: appStateSchema,
  after: appStateSchema,
  error: errorCodeSchema.nullable(),
  /** Failed beginnings of this app in this job; bounds every retry. */
  attempts: z.number().int().min(0),
  /** How often its load began in this job. */
  loads: z.number().int().min(0),
  /** How often it was tried to remove what its load left behind; bounds that too. */
  cleanings: z.number().int().min(0).default(0),
  /** The enabled flag may have been written: read it before writing again. */
  flagInDoubt: z.boolean(),
  /** An installation or deletion may have happened, or record and observation contradict each other: look before doing it. */
  contentInDoubt: z.boolean(),
  /** This job changed something of it on the card, or may have. */
  touched: z.boolean(),
  /** What is known of its keys changed in this job, and whether that includes the card's having taken one of them. */
  said: z.enum(['nothing', 'something', 'accepted']).default('nothing'),
});
export type AppProgress = z.infer<typeof appProgressSchema>;

/** By role. */
const targetsSchema = z.record(z.string(), keyCandidateSchema);

const planStepSchema = z.union([
  z.strictObject({ kind: z.literal('content'), deletes: z.array(appIdSchema), loads: z.array(appIdSchema) }),
  z.strictObject({ kind: z.literal('enable'), app: appIdSchema }),
  z.strictObject({ kind: z.literal('renew'), app: appIdSchema, writes: z.number().int().min(1) }),
  /** What a load of this app left behind is removed; put behind the plan when an installation was refused. */
  z.strictObject({ kind: z.literal('clean'), leftover: appIdSchema }),
  z.strictObject({ kind: z.literal('domain-keys'), channels: z.union([z.literal(1), z.literal(2)]) }),
]);

/** A step of the plan that is about one app. */
export type AppStep = Extract<z.infer<typeof planStepSchema>, { app: string }>;

/**
 * What the answers so far gave for the next commands, each with the plan step it belongs to; void after a stop or a card
 * event. Members that are not known here are left out: without them a step begins again.
 */
const scratchSchema = z.object({
  /** The notes of an app's dialect. */
  app: z.strictObject({ step: z.number().int(), notes: notesSchema }).optional(),
  channel: z.strictObject({ step: z.number().int(), hostChallenge: hex, response: hex }).optional(),
  /** The card says that it has no keys of the newest version that it may have: the older is asked for. */
  newestMissing: z.literal(true).optional(),
});
export type Scratch = z.infer<typeof scratchSchema>;

/** Operators by app. A job of an older version says it of nobody. */
export const confirmedBySchema = z.record(appIdSchema, z.string()).default({});

export const jobStateSchema = z.strictObject({
  profile: z.string(),
  /** Identification code: the digits as the card has them, decimal or hexadecimal. */
  identification: z.string(),
  account: z.string(),
  accountFactor: hex,
  /** How firmly the account is held for the card. A job of an older version asks for it again. */
  grip: gripSchema.default('none'),
  steps: z.array(planStepSchema),
  plannedTrips: z.number().int().min(1),
  /** The step of the plan that is under way. */
  at: z.number().int().min(0),
  cardEpoch: z.number().int().min(0),
  /** The card was found to be this job's card, in this epoch. */
  identified: z.boolean(),
  apps: z.record(z.string(), appProgressSchema),
  targets: z.record(z.string(), targetsSchema),
  /** The set of keys that the security domain is moved to; null when this job does not move it. */
  domainTarget: domainKeySetSchema.nullable().default(null),
  /** How often PUT KEY was sent in this job; bounds every retry. */
  domainMoves: z.number().int().min(0).default(0),
  /** This job changed the domain's keys or the card's state, or may have. */
  domainTouched: z.boolean().default(false),
  /** The card proved to the server, in this job, that it is the one: by a cryptogram under its security domain's keys. */
  held: z.boolean().default(false),
  /** What the look before the job found: a station's word until the card has shown itself. */
  seen: z.record(appIdSchema, appStateSchema).default({}),
  /** Apps that no job before this one knew of. */
  firstSeen: z.array(appIdSchema).default([]),
  /** How often it was asked to and did not. */
  unshown: z.number().int().min(0).default(0),
  /** Purses whose deletion a second person confirmed, whatever is in them: they say nothing. */
  confirmedPurses: z.array(appIdSchema),
  /** Purses whose deletion a second person confirmed with this amount in them. A job of an older version has none, and none was needed. */
  confirmedAmounts: z.record(appIdSchema, z.number().int().min(0)).default({}),
  /** Who confirmed it, of both. */
  confirmedBy: confirmedBySchema,
  scratch: scratchSchema,
  sent: z.array(sentSchema),
  /** The channel whose R-MACs the answers to `sent` must have; null where none of them has one. `level`: where it is another than the type's. */
  channel: z
    .strictObject({
      set: domainKeySetSchema,
      hostChallenge: hex,
      response: hex,
      level: z.number().int().exactOptional(),
    })
    .nullable()
    .default(null),
  trips: z.number().int().min(0),
  error: errorCodeSchema.nullable(),
  /** Set when the card must not be issued any further, with the reason for a supervisor. */
  setAside: storedSetAsideSchema.nullable(),
});
export type JobState = z.infer<typeof jobStateSchema>;
