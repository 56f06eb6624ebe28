/** The HTTP status of each error (docs/api.md). */
import type { ErrorCode } from '../../protocol/errors.ts';

const STATUS: Partial<Record<ErrorCode, number>> = {
  'bad-request': 400,
  'api-level-unsupported': 400,
  'account-invalid': 400,
  'sign-in-failed': 401,
  'session-expired': 401,
  'not-permitted': 403,
  'secret-change-needed': 403,
  'server-refused-certificate': 403,
  'not-found': 404,
  'request-too-large': 413,
  'sign-in-wait': 429,
  'too-many-attempts': 429,
  'step-conflict': 409,
  'request-conflict': 409,
  'job-superseded': 409,
  'card-in-use': 409,
  'hsm-away': 503,
  'hsm-key-missing': 503,
  'server-busy': 503,
  'server-store-failed': 503,
  internal: 500,
};

/** A job that is refused for what the card or the wish is: 422. */
export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 422;
}
