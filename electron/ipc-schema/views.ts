/**
 * What the window is shown: the engine's views (app/station/views.ts) without what staff never see. No card facts, no
 * AIDs, no bytes, no certificates, no tokens. A card's identification code is the number printed on it.
 */
import { z } from 'zod';
import { errorCodeSchema, errorDetailsSchema } from '../../app/protocol/errors.ts';
import { SET_ASIDE_CODES } from '../../app/protocol/set-aside.ts';
import {
  accountSchema,
  appIdSchema,
  appStateSchema,
  outcomeSchema,
  planStepSchema,
  resultSchema,
  stepNameSchema,
} from '../../app/protocol/wire.ts';
import { THEMES } from './words.ts';

const time = z.iso.datetime();
const bytes = z.number().int().min(0);
const readerName = z.string().min(1).max(128);
const jobId = z.string().min(1).max(64);
/** The tag of a language (BCP 47). Any tag fits here; main refuses one that there are no texts for. */
const languageSchema = z.string().regex(/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/);
/** A name by language. */
const localName = z.record(languageSchema, z.string().min(1));

/** An error as it goes to the window; the text is made there, in the language of the moment. */
export const faultSchema = z.strictObject({ code: errorCodeSchema, details: errorDetailsSchema });
export type FaultView = z.infer<typeof faultSchema>;

/** Kept by main for the installation. `sound`: whether the end of a job is heard. */
export const settingsSchema = z.strictObject({
  language: languageSchema,
  theme: z.enum(THEMES),
  sound: z.boolean(),
});
export type Settings = z.infer<typeof settingsSchema>;

/** What can be offered. `size` is what loading it takes on the card, in bytes; `loadable`: there is something to load. */
export const catalogueAppSchema = z.strictObject({
  id: appIdSchema,
  name: localName,
  icon: z.enum(['wallet', 'identity', 'meal', 'transit', 'card']),
  purse: z.boolean(),
  size: bytes,
  loadable: z.boolean(),
});
export type CatalogueApp = z.infer<typeof catalogueAppSchema>;

/** `managed`: apps can be loaded onto and deleted from cards of this type. `reserve`: bytes that are never planned away. */
export const cardTypeSchema = z.strictObject({
  id: appIdSchema,
  name: localName,
  managed: z.boolean(),
  reserve: bytes,
});
export type CardTypeView = z.infer<typeof cardTypeSchema>;

export const catalogueSchema = z.strictObject({
  apps: z.array(catalogueAppSchema),
  cardTypes: z.array(cardTypeSchema),
});
export type CatalogueView = z.infer<typeof catalogueSchema>;

/**
 * The engine process. `away`: it ended and is being started again; jobs are on disk. `failed`: it will not start, and why.
 */
export const engineViewSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('starting') }),
  z.strictObject({ kind: z.literal('running') }),
  z.strictObject({ kind: z.literal('away') }),
  z.strictObject({ kind: z.literal('failed'), code: errorCodeSchema }),
]);
export type EngineView = z.infer<typeof engineViewSchema>;

/** The reader service of the computer. */
export const serviceViewSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('starting') }),
  z.strictObject({ kind: z.literal('running') }),
  z.strictObject({ kind: z.literal('missing'), code: errorCodeSchema }),
]);
export type ServiceView = z.infer<typeof serviceViewSchema>;

export const serverViewSchema = z.strictObject({
  state: z.enum(['unknown', 'up', 'away']),
  code: errorCodeSchema.optional(),
  lastSeen: time.optional(),
  clockAheadMs: z.number().optional(),
});

export const operatorViewSchema = z.strictObject({ id: z.string(), name: z.string(), expires: time });
export type OperatorView = z.infer<typeof operatorViewSchema>;

/**
 * One app as the card says. The three states, and two beside them: `unforeseen`, on the card but not in the catalogue of its
 * type: shown, not offered; `unread`: the card would not say. `balance` in the smallest unit of money.
 */
export const cardAppSchema = z.strictObject({
  app: appIdSchema,
  state: z.enum([...appStateSchema.options, 'unforeseen', 'unread']),
  balance: z.number().int().min(0).optional(),
});
export type CardApp = z.infer<typeof cardAppSchema>;

/** A card that was read. `type` and `number` are null, with `code`, for a card that is not one of ours. */
export const cardViewSchema = z.strictObject({
  type: appIdSchema.nullable(),
  code: errorCodeSchema.optional(),
  number: z.string().max(64).nullable(),
  freeMemory: bytes.nullable(),
  /** In the catalogue's order. */
  apps: z.array(cardAppSchema),
});
export type CardView = z.infer<typeof cardViewSchema>;

/** As app/station/views.ts ReaderViewState: `waiting`, `jobInHand`, `otherCard` and `job` name jobs by id. */
export const readerStateSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('empty'), waiting: jobId.optional() }),
  z.strictObject({ kind: z.literal('looking') }),
  z.strictObject({
    kind: z.literal('card'),
    card: cardViewSchema,
    jobInHand: jobId.optional(),
    otherCard: jobId.optional(),
  }),
  z.strictObject({ kind: z.literal('job'), job: jobId, card: cardViewSchema.nullable() }),
  z.strictObject({ kind: z.literal('problem'), code: errorCodeSchema }),
]);
export type ReaderState = z.infer<typeof readerStateSchema>;

export const readerViewSchema = z.strictObject({ name: readerName, state: readerStateSchema });
export type ReaderView = z.infer<typeof readerViewSchema>;

export const stepViewSchema = planStepSchema.extend({
  state: z.enum(['waiting', 'running', 'done', 'failed']),
});
export type StepView = z.infer<typeof stepViewSchema>;

/** The engine's ProgressView without the plan: `sent` of `commands` of the batch in hand, `current` what the last one is for. */
export const progressViewSchema = z.strictObject({
  steps: z.array(stepViewSchema),
  current: z.strictObject({ step: stepNameSchema, app: appIdSchema.optional() }).nullable(),
  sent: z.number().int().min(0),
  commands: z.number().int().min(0),
});

/** How a job ended: the server's outcome without key versions and trips. */
export const resultViewSchema = z.strictObject({
  result: resultSchema,
  apps: z.array(
    z.strictObject({
      app: appIdSchema,
      before: appStateSchema,
      after: appStateSchema,
      error: errorCodeSchema.optional(),
    }),
  ),
  deleted: outcomeSchema.shape.deleted,
  fault: faultSchema.optional(),
});
export type ResultView = z.infer<typeof resultViewSchema>;

/** `working.writing` is true exactly while the card must stay where it is. */
export const jobStateSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('working'), writing: z.boolean(), atCard: z.literal(true).optional() }),
  z.strictObject({ kind: z.literal('waiting-for-card'), code: errorCodeSchema }),
  z.strictObject({
    kind: z.literal('waiting-for-server'),
    code: errorCodeSchema,
    since: time,
    cardPresent: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('waiting-for-disk') }),
  z.strictObject({ kind: z.literal('done'), result: resultViewSchema }),
  z.strictObject({ kind: z.literal('failed'), fault: faultSchema }),
  z.strictObject({ kind: z.literal('abandoned') }),
]);
export type JobState = z.infer<typeof jobStateSchema>;

export const wishViewSchema = z.strictObject({ app: appIdSchema, action: z.enum(['enable', 'delete']) });
export type WishView = z.infer<typeof wishViewSchema>;

export const jobViewSchema = z.strictObject({
  id: jobId,
  reader: readerName,
  /** The card's number. */
  card: z.string().max(64),
  created: time,
  wishes: z.array(wishViewSchema),
  progress: progressViewSchema,
  state: jobStateSchema,
});
export type JobView = z.infer<typeof jobViewSchema>;

/** Everything that moves, at one moment. */
export const stationViewSchema = z.strictObject({
  engine: engineViewSchema,
  service: serviceViewSchema,
  server: serverViewSchema,
  operator: operatorViewSchema.nullable(),
  readers: z.array(readerViewSchema),
  jobs: z.array(jobViewSchema),
});
export type StationView = z.infer<typeof stationViewSchema>;

/**
 * What would happen, before it does. `confirm`: apps whose deletion needs a second person, because they may hold
 * money.
 */
export const planViewSchema = z.discriminatedUnion('fits', [
  z.strictObject({
    fits: z.literal(true),
    /** In order; one entry an app and thing done to it. */
    steps: z.array(planStepSchema),
    memory: z.strictObject({ needed: bytes, free: bytes.nullable() }),
    confirm: z.array(appIdSchema),
  }),
  z.strictObject({ fits: z.literal(false), fault: faultSchema }),
]);
export type PlanView = z.infer<typeof planViewSchema>;

const setAsideReason = z.enum(SET_ASIDE_CODES);
/**
 * Why a card is set aside, and for which app where it is an app's: the details of `card-set-aside`. A code only; what
 * somebody wrote on the record in their own words stays there, for it may be in any language and say anything.
 */
const setAsideViewSchema = z.union([
  z.strictObject({ reason: setAsideReason, app: appIdSchema }),
  z.strictObject({ reason: setAsideReason }),
]);

/** The server's record of a card, in what staff may know: who, where, when, what. */
export const cardHistorySchema = z.strictObject({
  number: z.string(),
  type: z.string(),
  /** Empty for a card that is not bound to an account yet. */
  account: z.union([accountSchema, z.literal('')]),
  issued: z.boolean(),
  setAside: setAsideViewSchema.nullable(),
  /** Newest first. */
  jobs: z.array(
    z.strictObject({
      /** Whoever did it, by name, and those who confirmed a deletion. */
      name: z.string(),
      confirmedBy: z.array(z.string()),
      station: z.string(),
      reader: z.string(),
      started: time,
      ended: time.nullable(),
      /** Null while it is in hand; `superseded`: another job took the card over. */
      result: z.union([resultSchema, z.literal('superseded')]).nullable(),
      apps: resultViewSchema.shape.apps,
      deleted: resultViewSchema.shape.deleted,
    }),
  ),
});
export type CardHistory = z.infer<typeof cardHistorySchema>;
