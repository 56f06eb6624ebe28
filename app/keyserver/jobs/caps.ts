/**
 * Caps on authentications and jobs, per card and day and per station and hour (design: the server must not become an oracle). A station names
 * any card it likes, so what it does counts for itself; for the card only where the card showed that it was there.
 */
import { KaikaError } from '../../protocol/errors.ts';
import type { Command, StepName } from '../../protocol/wire.ts';
import { writeAudit } from '../audit/entries.ts';
import type { Limits } from '../limits.ts';
import { addCount, addCounts, type Counted, periodOf, readCounts } from '../store/counters.ts';
import { countOthersInHand } from '../store/leases.ts';
import type { Queries } from '../store/store.ts';
import { together } from '../store/transaction.ts';
import { Overtaken } from '../store/turns.ts';
import type { JobContext } from './context.ts';

/** Commands of a batch that make the card check a key of ours. */
export interface Authentications {
  readonly sent: number;
  /** Those behind a card's cryptogram that the server has compared: the card is there. */
  readonly proven: number;
}

export const NO_AUTHENTICATIONS: Authentications = { sent: 0, proven: 0 };

/** What a step is about to use up. */
export interface Use {
  readonly card: string;
  readonly station: string;
  readonly jobs: 0 | 1;
  readonly authentications: Authentications;
}

const AUTHENTICATIONS: readonly StepName[] = ['authenticate', 'authenticate-secure-channel'];

/** @throws Error for two authentications in one batch: one may be in flight a lease. */
export function authenticationsOf(commands: readonly Command[]): Authentications {
  const steps = commands.map(({ label }) => label.step);
  const sent = steps.filter((step) => AUTHENTICATIONS.includes(step)).length;
  if (sent > 1) throw new Error('two authentications in one batch');
  const channel = steps.indexOf('authenticate-secure-channel');
  // A channel that is opened in the same batch was foretold: no card has answered yet.
  const foretold = steps.slice(0, Math.max(0, channel)).includes('open-secure-channel');
  return { sent, proven: channel >= 0 && !foretold ? 1 : 0 };
}

export interface Cap extends Counted {
  readonly by: number;
  readonly most: number;
}

function capsOf(limits: Limits, use: Use, now: Date): Cap[] {
  const [day, hour] = [periodOf(now, 'day'), periodOf(now, 'hour')];
  const cap = (scope: string, subject: string, period: string, by: number, most: number) =>
    by === 0 ? [] : [{ scope, subject, period, by, most }];
  const { card, station, jobs, authentications } = use;
  const { sent, proven } = authentications;
  const here = `${card}/${station}`;
  return [
    ...cap('authentications-per-card-day', here, day, sent, limits.authenticationsPerCardDay),
    ...cap('proven-authentications-per-card-day', card, day, proven, limits.authenticationsPerCardDay),
    ...cap('jobs-per-card-day', here, day, jobs, limits.jobsPerCardDay),
    // Counters that many jobs share come last, so that they are locked for a short time only; always in this order, so that two requests
    // never wait for each other.
    ...cap('authentications-per-station-hour', station, hour, sent, limits.authenticationsPerStationHour),
    ...cap('jobs-per-station-hour', station, hour, jobs, limits.jobsPerStationHour),
  ];
}

/** Name of the cap that `use` would exceed; undefined when it may go ahead. `besides`: caps that are looked at in the same statement. */
export async function exceededCap(
  context: JobContext,
  use: Use,
  besides: readonly Cap[] = [],
): Promise<string | undefined> {
  const caps = [...capsOf(context.limits, use, context.now()), ...besides];
  const counts = await readCounts(context.store, caps);
  return caps.find(({ by, most }, at) => (counts[at] ?? 0) + by > most)?.scope;
}

/** Counts `use`, in the transaction that lets it happen. @throws Overtaken when another request used up the rest meanwhile */
export async function countUse(db: Queries, context: JobContext, use: Use): Promise<void> {
  const caps = capsOf(context.limits, use, context.now());
  const counts = await addCounts(db, caps);
  if (caps.some(({ most }, at) => (counts[at] ?? 0) > most)) throw new Overtaken();
}

/** Waits for the station's other starts: each writes this counter before it takes a card in hand, and sees what those before it took. */
export async function waitForStation(db: Queries, { now }: JobContext, station: string): Promise<void> {
  const period = periodOf(now(), 'hour');
  await addCounts(db, [{ scope: 'jobs-per-station-hour', subject: station, period, by: 0 }]);
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
    subject: cap.includes('card')
      ? `${who.card ?? ''}/${who.station}`
      : cap.includes('operator')
        ? (who.operator ?? '')
        : who.station,
    period: periodOf(now, 'hour'),
  };
  await together(context.store, async (db) => {
    if ((await addCount(db, counted)) === 1)
      await writeAudit(db, { kind: 'limit', ...who, detail: { cap } }, now);
  });
}

/**
 * Refuses a new job that would exceed a cap, or one of those `besides`.
 * @throws KaikaError `too-many-attempts`, audited; `server-busy`
 */
export async function refuseExcess(
  context: JobContext,
  use: Use,
  operator: string,
  besides: readonly Cap[],
): Promise<void> {
  const cap = await exceededCap(context, use, besides);
  if (cap !== undefined) {
    await auditExcess(context, cap, { station: use.station, operator, card: use.card });
    throw new KaikaError('too-many-attempts', `the limit of ${cap} is reached`);
  }
  // Looked at here to spare the HSM the reply; what holds however many ask at once is the lease itself (store/leases.ts).
  const inHand = await countOthersInHand(context.store, use.station, use.card, context.now().toISOString());
  if (inHand >= context.limits.jobsAtOnce) throw tooManyInHand();
}

export function tooManyInHand(): KaikaError {
  return new KaikaError('server-busy', 'this station has as many cards in hand as it may');
}
