/**
 * Jobs that are refused for what is on record of a card or an account. Each such refusal tells the station something, so each is counted and on
 * record, and after many of them the station and the operator are told nothing more for the rest of the hour.
 */
import { recognise } from '../../catalogue/recognise.ts';
import { type ErrorCode, KaikaError } from '../../protocol/errors.ts';
import type { JobRequest } from '../../protocol/wire.ts';
import { writeAudit } from '../audit/entries.ts';
import { addCounts, periodOf } from '../store/counters.ts';
import { together } from '../store/transaction.ts';
import { auditExcess, type Cap } from './caps.ts';
import type { JobContext, OperatorCaller } from './context.ts';

const TELLING: readonly ErrorCode[] = [
  'account-taken',
  'account-mismatch',
  'card-in-use',
  'card-set-aside',
  'wrong-card-type',
  'not-permitted',
];

/** What is counted of a caller's refused jobs, in the order in which it is. */
export function refusalCaps(
  { limits, now }: Pick<JobContext, 'limits' | 'now'>,
  { station, operator }: OperatorCaller,
): Cap[] {
  const cap = (scope: string, subject: string): Cap => ({
    scope,
    subject,
    period: periodOf(now(), 'hour'),
    by: 1,
    most: limits.refusedJobsPerHour,
  });
  return [cap('refused-jobs-per-operator-hour', operator), cap('refused-jobs-per-station-hour', station)];
}

/**
 * Counts a refusal before it is told. Gives the error to answer with: `too-many-attempts` in its place once there were too many, so that
 * however many are asked at once no more are told than the cap allows.
 */
export async function countRefusal(
  context: JobContext,
  caller: OperatorCaller,
  request: Pick<JobRequest, 'card'>,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof KaikaError) || !TELLING.includes(error.code)) return error;
  const recognition = recognise(context.catalogue, request.card);
  const card = recognition.known ? { card: recognition.identification } : {};
  const who = { station: caller.station, operator: caller.operator, ...card };
  const caps = refusalCaps(context, caller);
  const exceeded = await together(context.store, async (db) => {
    const counts = await addCounts(db, caps);
    const over = caps.find(({ most }, at) => (counts[at] ?? 0) > most);
    if (over === undefined)
      await writeAudit(db, { kind: 'job-refused', ...who, detail: { code: error.code } }, context.now());
    return over;
  });
  if (exceeded === undefined) return error;
  await auditExcess(context, exceeded.scope, who);
  return new KaikaError('too-many-attempts', `the limit of ${exceeded.scope} is reached`);
}
