/**
 * Every error a person may meet, by code. Each has a text in every language (resources/locales) and a section in
 * docs/errors.md; tests keep the three in step.
 */
import { z } from 'zod';

/** Found out by the station itself, without the server. */
const STATION_ERRORS = [
  'pcsc-not-installed',
  'pcsc-not-running',
  'pcsc-refused',
  'no-reader',
  'reader-lost',
  'no-card',
  'card-mute',
  'card-removed',
  'card-held',
  'card-communication',
  'card-slow',
  'other-card',
  'server-away',
  'server-slow',
  'server-refused-certificate',
  'server-not-trusted',
  'wrong-clock',
  'server-answer-invalid',
  'server-reply-refused',
  'last-try-kept',
  'station-disk-full',
  'station-already-running',
  'station-not-set-up',
  'station-journal-damaged',
  'station-journal-held',
  'station-journal-newer',
  'job-in-hand',
] as const;

/** Answered by the key server, or part of a job's outcome. */
export const SERVER_ERRORS = [
  'bad-request',
  'request-too-large',
  'api-level-unsupported',
  'not-found',
  'sign-in-failed',
  'sign-in-wait',
  'secret-change-needed',
  'session-expired',
  'not-permitted',
  'too-many-attempts',
  'unknown-card',
  'wrong-card-type',
  'app-not-in-catalogue',
  'app-not-for-this-card',
  'app-cannot-be-loaded',
  'not-enough-memory',
  'nothing-to-do',
  'account-invalid',
  'account-mismatch',
  'account-taken',
  'card-in-use',
  'card-set-aside',
  'card-refused-key',
  'card-has-other-keys',
  'card-refused-command',
  'card-answer-unproven',
  'card-tries-low',
  'app-locked',
  'purse-not-empty',
  'balance-unreadable',
  'confirmation-needed',
  'load-failed',
  'load-left-behind',
  'step-conflict',
  'request-conflict',
  'job-superseded',
  'hsm-away',
  'hsm-key-missing',
  'server-busy',
  'server-store-failed',
  'internal',
] as const;

export const ERROR_CODES = [...STATION_ERRORS, ...SERVER_ERRORS] as const;

export type ServerErrorCode = (typeof SERVER_ERRORS)[number];
export type ErrorCode = (typeof ERROR_CODES)[number];

export const errorCodeSchema = z.enum(ERROR_CODES);

/** Values a text may name: counts, app ids, who holds a card. Never card data. */
export const errorDetailsSchema = z.record(
  z.string().max(40),
  z.union([z.string().max(200), z.number(), z.array(z.string().max(60)).max(50)]),
);
export type ErrorDetails = z.infer<typeof errorDetailsSchema>;

/** The body of every refused request. `message` is for the log of whoever integrates, never for staff. */
export const errorBodySchema = z.strictObject({
  code: errorCodeSchema,
  message: z.string().max(500),
  requestId: z.string().max(64),
  details: errorDetailsSchema.optional(),
});
export type ErrorBody = z.infer<typeof errorBodySchema>;

/** An error with a code of ours; the one kind that may reach a person. */
export class KaikaError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  constructor(code: ErrorCode, message: string = code, details: ErrorDetails = {}) {
    super(message);
    this.name = 'KaikaError';
    this.code = code;
    this.details = details;
  }
}
