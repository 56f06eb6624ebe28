/**
 * What goes over the wire between station and key server (docs/api.md). One job = one card in one reader, any number
 * of apps; each step is one HTTPS request. Bytes travel as upper-case hexadecimal text.
 */
import { z } from 'zod';
import { errorCodeSchema, errorDetailsSchema } from './errors.ts';
import { expectationSchema } from './expectation.ts';
import { readerNameSchema } from './names.ts';

/** Raised when a message changes its meaning; in every message from the start. */
export const API_LEVEL = 1;

/** Bounds of the wire: what a hostile or broken peer may make us hold. */
export const LIMITS = {
  bodyBytes: 1_048_576,
  commands: 400,
  apps: 64,
  answerBytes: 258,
  /** Of an object that the look reads; the list of keys may be longer than one response. */
  objectBytes: 256,
  keyInformationBytes: 1024,
  files: 8,
  receipts: 20,
  receiptCharacters: 32_768,
} as const;

export const apiLevel = z.literal(API_LEVEL);

/** Hexadecimal bytes, `min` to `max` of them. */
export function hexBytes(min: number, max: number) {
  return z
    .string()
    .max(2 * max)
    .regex(/^(?:[0-9A-F]{2})*$/)
    .refine((text) => text.length >= 2 * min, { message: `at least ${min} bytes` });
}

export const appIdSchema = z.string().regex(/^[a-z][a-z0-9-]{1,30}$/);
/** A card's identification code: decimal digits, or hexadecimal ones on cards that are known by their chip or by a SIM's number. */
export const identificationSchema = z.string().regex(/^[0-9A-F]{8,20}$/);
export const accountSchema = z.string().regex(/^[0-9]{8,20}$/);
const identifier = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/);

/** What staff see of an app; `unknown` is never sent, an unread app is left out. */
export const appStateSchema = z.enum(['enabled', 'installed', 'missing']);
export type AppState = z.infer<typeof appStateSchema>;

/** The card as the key-less look read it: raw answers' data, so that the server draws its own conclusions. */
export const cardFactsSchema = z.strictObject({
  atr: hexBytes(2, 33),
  /** GET DATA objects by tag; absent when the card did not give one. */
  cplc: hexBytes(1, 256).optional(),
  iin: hexBytes(1, 256).optional(),
  cin: hexBytes(1, 256).optional(),
  cardData: hexBytes(1, 256).optional(),
  keyInformation: hexBytes(1, LIMITS.keyInformationBytes).optional(),
  diversificationData: hexBytes(1, 256).optional(),
  /** Of the domain's first choice of keys, on cards whose challenges follow from it. */
  sequenceCounter: hexBytes(1, 256).optional(),
  resources: hexBytes(1, 256).optional(),
  /** Files that anybody may read, by path (`3F00/0005`), from their beginning; on cards that identify themselves by one. */
  files: z
    .record(z.string().regex(/^[0-9A-F]{4}(?:\/[0-9A-F]{4}){0,3}$/), hexBytes(1, 256))
    .refine((files) => Object.keys(files).length <= LIMITS.files, { message: 'too many files' })
    .optional(),
});
export type CardFacts = z.infer<typeof cardFactsSchema>;

/** One app as the look found it. `balance` in the smallest unit of money, for a purse that could be read. */
export const observedAppSchema = z.strictObject({
  app: appIdSchema,
  state: appStateSchema,
  balance: z.number().int().min(0).max(0xffffffff).optional(),
});
export type ObservedApp = z.infer<typeof observedAppSchema>;

/** What the customer wants of one app. `confirmedBy` is a second person's token, for a purse that is to be deleted. */
export const wishSchema = z.strictObject({
  app: appIdSchema,
  action: z.enum(['enable', 'delete']),
  confirmedBy: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,100}$/)
    .optional(),
});
export type Wish = z.infer<typeof wishSchema>;

export const balanceSchema = observedAppSchema.shape.balance.unwrap();

/** What a second person confirms: that this app of this card is deleted, with what its purse says; null for one that says nothing. */
export const confirmedDeletionSchema = z.strictObject({
  card: z.string().max(64),
  app: appIdSchema,
  balance: balanceSchema.nullable(),
});
export type ConfirmedDeletion = z.infer<typeof confirmedDeletionSchema>;

/** Shorter ones are guessed; what nobody can type is a mistake. */
export const newSecretSchema = z.string().min(8).max(256);

export const signInRequestSchema = z.strictObject({
  apiLevel,
  operator: z.string().min(1).max(64),
  secret: z.string().min(1).max(256),
  /** The one that they choose in its place. Asked for by `secret-change-needed`, where somebody else made the old one. */
  newSecret: newSecretSchema.optional(),
  /** The token is good for one job that does this, for minutes, and for nothing else. Without it somebody signs in for work. */
  confirms: confirmedDeletionSchema.optional(),
});
export type SignInRequest = z.infer<typeof signInRequestSchema>;

export const signInReplySchema = z.strictObject({
  apiLevel,
  token: z.string().min(20).max(100),
  expires: z.iso.datetime(),
  operator: z.strictObject({ id: z.string(), name: z.string() }),
});
export type SignInReply = z.infer<typeof signInReplySchema>;

/** SELECT of the first app and one challenge, taken after the click with nothing sent in between. */
export const openingSchema = z.strictObject({
  app: appIdSchema,
  select: hexBytes(2, LIMITS.answerBytes),
  challenge: hexBytes(2, 10),
});
export type Opening = z.infer<typeof openingSchema>;

export const jobRequestSchema = z.strictObject({
  apiLevel,
  /** Chosen by the station and kept on its disk before the request leaves: repeating it changes nothing. */
  requestId: z.uuid(),
  reader: readerNameSchema,
  cardEpoch: z.number().int().min(0),
  card: cardFactsSchema,
  observed: z.array(observedAppSchema).max(LIMITS.apps),
  account: accountSchema,
  wishes: z.array(wishSchema).min(1).max(LIMITS.apps),
  opening: openingSchema.optional(),
  /** The station has given the job up and asks only whether it was begun: a server that does not know it begins nothing. */
  givenUp: z.literal(true).optional(),
});
export type JobRequest = z.infer<typeof jobRequestSchema>;

/** What a command is for, in words of the domain; the station turns it into texts, the record keeps it. */
export const stepNameSchema = z.enum([
  'identify-card',
  'select-app',
  'read-state',
  'read-balance',
  'challenge',
  'authenticate',
  'write-maintenance-key',
  'write-master-control-key',
  'write-enabled-flag',
  'select-security-domain',
  'open-secure-channel',
  'authenticate-secure-channel',
  'remove-package',
  'announce-load',
  'load-block',
  'install-app',
  'delete-app',
  'read-memory',
  'write-domain-keys',
  'remove-domain-keys',
  'secure-card',
  'read-card-state',
]);
export type StepName = z.infer<typeof stepNameSchema>;

export const labelSchema = z.strictObject({ step: stepNameSchema, app: appIdSchema.optional() });
export type Label = z.infer<typeof labelSchema>;

export const commandSchema = z.strictObject({
  apdu: hexBytes(4, 261),
  /** Status words that let the batch go on, as prefixes of 1 or 2 bytes: `90`, `6A88`. */
  accept: z
    .array(z.string().regex(/^(?:[0-9A-F]{2}){1,2}$/))
    .min(1)
    .max(8),
  /** The answer's data must equal `value` where `mask` has ones; shorter data do not match. */
  expect: expectationSchema.optional(),
  /** The command changes the card or spends a try: the station notes its index before sending. */
  effect: z.literal(true).optional(),
  label: labelSchema,
});
export type Command = z.infer<typeof commandSchema>;

/** Commands for the card of one epoch, to be run in order inside one PC/SC transaction. */
export const batchSchema = z.strictObject({
  seq: z.number().int().min(1),
  cardEpoch: z.number().int().min(0),
  commands: z.array(commandSchema).min(1).max(LIMITS.commands),
});
export type Batch = z.infer<typeof batchSchema>;

export const cardEventSchema = z.enum(['removed', 'reset', 'replaced', 'lost']);
export type CardEvent = z.infer<typeof cardEventSchema>;

/**
 * The answers to batch `seq`. Three cases: all commands answered (no `stoppedAt`); the answer at `stoppedAt` was not
 * acceptable (it is the last of `answers`); or command `stoppedAt` (= answers.length) has no answer, and `reached` says whether it
 * may have reached the card. After a crash (`lost`) answers may be empty and `stoppedAt` is the last index noted as started:
 * commands before it had been accepted.
 */
export const answersRequestSchema = z.strictObject({
  apiLevel,
  cardEpoch: z.number().int().min(0),
  answers: z.array(hexBytes(2, LIMITS.answerBytes)).max(LIMITS.commands),
  stoppedAt: z.number().int().min(0).max(LIMITS.commands).optional(),
  reached: z.boolean().optional(),
  cardEvent: cardEventSchema.optional(),
});
export type AnswersRequest = z.infer<typeof answersRequestSchema>;

export const resultSchema = z.enum(['complete', 'partial', 'refused']);

/** Version of the issuer's key that is certainly in a key slot; null while the factory's key is there, or it is in doubt which of two is. */
export const keyVersionSchema = z.number().int().min(1).nullable();

/**
 * The versions of an app's keys on the card, by the role that the app's dialect gives each slot (FMCOS: `mck`, `mtk`). All of them are null
 * when the app is not on the card, or was to be deleted and was not. Empty when the server knows of no key of the app on this card.
 */
export const keyVersionsSchema = z.record(z.string().regex(/^[a-z0-9][a-z0-9-]*$/), keyVersionSchema);
export type KeyVersions = Readonly<z.infer<typeof keyVersionsSchema>>;

/** What became of one app. Kept ones may have an older form: app/protocol/stored-outcome.ts reads both. */
export const appOutcomeSchema = z.strictObject({
  app: appIdSchema,
  before: appStateSchema,
  after: appStateSchema,
  keyVersions: keyVersionsSchema,
  error: errorCodeSchema.optional(),
});
export type AppOutcome = z.infer<typeof appOutcomeSchema>;

export const outcomeSchema = z.strictObject({
  result: resultSchema,
  /** The card's identification code. */
  card: z.string().max(64),
  apps: z.array(appOutcomeSchema).max(LIMITS.apps),
  deleted: z.array(appIdSchema).max(LIMITS.apps),
  trips: z.number().int().min(1),
  plannedTrips: z.number().int().min(1),
  error: errorCodeSchema.optional(),
  details: errorDetailsSchema.optional(),
});
export type Outcome = z.infer<typeof outcomeSchema>;

/** What will happen, in order, before it does; shown to staff. */
export const planStepSchema = z.strictObject({
  /** `renew`: an enabled app gets the keys that are valid now; nobody asked for it. */
  kind: z.enum(['enable', 'load', 'delete', 'renew']),
  app: appIdSchema,
});
export const planSummarySchema = z.strictObject({
  steps: z.array(planStepSchema).max(3 * LIMITS.apps),
  trips: z.number().int().min(1),
  memory: z.strictObject({ needed: z.number().int().min(0), free: z.number().int().min(0).nullable() }),
});
export type PlanSummary = z.infer<typeof planSummarySchema>;

/**
 * What the server knows of card and job after this step, sealed for itself, in base64url. The station keeps the newest of each job, and gives them
 * back when the server's store was restored from a backup (app/protocol/receipts.ts).
 */
export const receiptSchema = z
  .string()
  .max(LIMITS.receiptCharacters)
  .regex(/^[A-Za-z0-9_-]+$/);

export const stepBatchReplySchema = z.strictObject({
  apiLevel,
  batch: batchSchema,
  receipt: receiptSchema.optional(),
});
export const stepOutcomeReplySchema = z.strictObject({
  apiLevel,
  outcome: outcomeSchema,
  receipt: receiptSchema.optional(),
});

/** A step's reply: the next batch, or how the job ended. */
export const stepReplySchema = z.union([stepBatchReplySchema, stepOutcomeReplySchema]);
export type StepReply = z.infer<typeof stepReplySchema>;

export const jobReplySchema = z.strictObject({
  apiLevel,
  job: identifier,
  generation: z.number().int().min(1),
  plan: planSummarySchema,
  /** Missing when the server decided at once that nothing is to be sent; then `outcome`. */
  batch: batchSchema.optional(),
  outcome: outcomeSchema.optional(),
  receipt: receiptSchema.optional(),
});
export type JobReply = z.infer<typeof jobReplySchema>;
