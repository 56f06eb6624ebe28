/** What the key server has on record of a card: GET /v1/cards/{identification code}, and what other replies share with it. */
import { z } from 'zod';
import { errorCodeSchema } from './errors.ts';
import { setAsideSchema } from './set-aside.ts';
import {
  apiLevel,
  appIdSchema,
  appOutcomeSchema,
  appStateSchema,
  keyVersionsSchema,
  resultSchema,
  stepNameSchema,
} from './wire.ts';

/** Who did something on a card, where and when. */
export const deedSchema = z.strictObject({
  job: z.string(),
  operator: z.string(),
  /** The operator's, as people read it. */
  name: z.string(),
  station: z.string(),
  reader: z.string(),
  at: z.iso.datetime(),
});
export type Deed = z.infer<typeof deedSchema>;

export const jobEndSchema = z.union([resultSchema, z.literal('superseded'), z.null()]);

/** Something that went wrong on a card, with the last command of it that was not taken, where there is one. */
export const faultSchema = z.strictObject({
  job: z.string(),
  at: z.iso.datetime(),
  app: appIdSchema.nullable(),
  code: errorCodeSchema,
  step: stepNameSchema.nullable(),
  sw: z.string().nullable(),
});

/** GET /v1/cards/{identification code}. */
export const cardRecordSchema = z.strictObject({
  apiLevel,
  card: z.string(),
  cardType: z.string(),
  account: z.string(),
  issued: z.boolean(),
  setAside: setAsideSchema.nullable(),
  firstSeen: z.iso.datetime(),
  /** Keys of the issuer security domain; null while no job has used them. */
  domain: z
    .strictObject({
      origin: z.enum(['factory', 'issuer']),
      version: z.number().int(),
      keyVersion: z.number().int(),
      inDoubt: z.boolean(),
    })
    .nullable(),
  apps: z.array(
    z.strictObject({
      app: appIdSchema,
      state: appStateSchema,
      keyVersions: keyVersionsSchema,
      instance: z.number().int(),
      loadFileHash: z.string().nullable(),
      inDoubt: z.boolean(),
      /**
       * What says whether it is on the card: `proven` by the card's MAC on its installation or deletion, `seen` in a list with the card's MAC, or
       * `claimed` by the station of a job. That an app is enabled is always the claim of `enabledBy`; `inDoubt` while the card has not shown itself to the server in
       * a job that said so.
       */
      ground: z.enum(['proven', 'seen', 'claimed']),
      /** The job in which the card said so; null for a claim, and where an older version kept no note of it. */
      groundSince: z.strictObject({ job: z.string(), at: z.iso.datetime() }).nullable(),
      enabledBy: deedSchema.nullable(),
    }),
  ),
  faults: z.array(faultSchema),
  jobs: z.array(
    z.strictObject({
      job: z.string(),
      operator: z.string(),
      /** The operator's, as people read it. */
      name: z.string(),
      /** Who confirmed which deletion. */
      confirmed: z.array(z.strictObject({ app: appIdSchema, operator: z.string(), name: z.string() })),
      station: z.string(),
      reader: z.string(),
      account: z.string(),
      started: z.iso.datetime(),
      ended: z.iso.datetime().nullable(),
      result: jobEndSchema,
      error: errorCodeSchema.nullable(),
      apps: z.array(appOutcomeSchema),
      deleted: z.array(appIdSchema),
      loads: z.array(z.strictObject({ app: appIdSchema, loadFileHash: z.string(), sw: z.string() })),
      steps: z.array(z.strictObject({ step: stepNameSchema, app: appIdSchema.nullable(), sw: z.string() })),
      /** What the station reported after another job had taken the card over. */
      late: z.array(
        z.strictObject({ seq: z.number().int(), received: z.iso.datetime(), sws: z.array(z.string()) }),
      ),
    }),
  ),
  /** Where jobs before these go on; null when there are none. */
  earlier: z.string().nullable(),
});
export type CardRecord = z.infer<typeof cardRecordSchema>;
