/** Caps on authentications and jobs, per card and day and per station and hour (design: the server must not become an oracle). */
import { KaikaError } from '../../protocol/errors.ts';
import type { Command, StepName } from '../../protocol/wire.ts';
import { writeAudit } from '../audit/entries.ts';
import type { Limits } from '../limits.ts';
import { addCount, type Counted, periodOf, readCount } from '../store/counters.ts';
import { countOthersInHand } from '../store/leases.ts';
import type { Queries } from '../store/store.ts';
import { together } from '../store/transaction.ts';
import { Overtaken } from '../store/turns.ts';
import type { JobContext } from './context.ts';

/** What a step is about to use up. */
export interface Use {
  readonly card: string;
  readonly station: string;
  readonly jobs: 0 | 1;
  readonly authentications: number;
}

const AUTHENTICATIONS: readonly StepName[] = ['authenticate', 'authenticate-secure-channel'];

/** Commands of a batch that make the card check a key of ours. @throws Error for two in one batch: one may be in flight a lease. */
export function authenticationsOf(commands: readonly Command[]): number {
  const count = commands.filter(({ label }) => AUTHENTICATIONS.includes(label.step)).length;
  if (count > 1) throw new Error('two authentications in one batch');
  return count;
}

interface Cap extends Counted {
  readonly by: number;
  readonly most: number;
}

function capsOf(limits: Limits, use: Use, now: Date): Cap[] {
  const [day, hour] = [periodOf(now, 'day'), periodOf(now, 'hour')];
  const cap = (scope: string, subject: string, period: string, by: number, most: number) =>
    by === 0 ? [] : [{ scope, subject, period, by, most }];
  const { card, station, jobs, authentications } = use;
  return [
    ...cap('authentications-per-card-day', card, day, authentications, limits.authenticationsPerCardDay),
    ...cap('jobs-per-card-day', card, day, jobs, limits.jobsPerCardDay),
    // Counters that many jobs share come last, so that they are locked for a short time only; always in this order, so that two requests
    // never wait for each other.
    ...cap(
      'authentications-per-station-hour',
      station,
      hour,
      authentications,
      limits.authenticationsPerStationHour,
    ),
    ...cap('jobs-per-station-hour', station, hour, jobs, limits.jobsPerStationHour),
  ];
}

/** Name of the cap that `use` would exceed; undefined when it may go ahead. */
export async function exceededCap(context: JobContext, use: Use): Promise<string | undefined> {
  for (const { by, most, ...counted } of capsOf(context.limits, use, context.now())) {
    if ((await readCount(context.store, counted)) + by > most) return counted.scope;
  }
  return undefined;
}

/** Counts `use`, in the transaction that lets it happen. @throws Overtaken when another request used up the rest meanwhile */
export async function countUse(db: Queries, context: JobContext, use: Use): Promise<void> {
  for (const { by, most, ...counted } of capsOf(context.limits, use, context.now())) {
    if ((await addCount(db, counted, by)) > most) throw new Overtaken();
  }
}

/** Puts an excess on record, the first of each subject and period: a flood of them must not fill the store. */
export async function auditExcess(
  context: JobContext,
  cap: string,
  who: {
    readonly station: string;
    readonly operator?: string;
    readonly card?: string;
    readonly job?: string;
  },
): Promise<void> {
  const now = context.now();
  const counted = {
    scope: `excess/${cap}`,
    subject: cap.includes('card') ? (who.card ?? '') : who.station,
    period: periodOf(now, 'hour'),
  };
  await together(context.store, async (db) => {
    if ((await addCount(db, counted)) === 1)
      await writeAudit(db, { kind: 'limit', ...who, detail: { cap } }, now);
  });
}

/** Refuses a new job that would exceed a cap. @throws KaikaError `too-many-attempts`, audited; `server-busy` */
export async function refuseExcess(context: JobContext, use: Use, operator: string): Promise<void> {
  const cap = await exceededCap(context, use);
  if (cap !== undefined) {
    await auditExcess(context, cap, { station: use.station, operator, card: use.card });
    throw new KaikaError('too-many-attempts', `the limit of ${cap} is reached`);
  }
  const inHand = await countOthersInHand(context.store, use.station, use.card, context.now().toISOString());
  if (inHand >= context.limits.jobsAtOnce)
    throw new KaikaError('server-busy', 'this station has as many cards in hand as it may');
}
