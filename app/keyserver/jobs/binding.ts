/** A card's account: kept for the card while a job is under way, and the card's own once something came of one (issuer/account-grip.ts). */
import { KaikaError } from '../../protocol/errors.ts';
import { type Grip, stronger, toSecure } from '../issuer/account-grip.ts';
import type { JobOnCard } from '../issuer/progress.ts';
import type { JobState } from '../issuer/state.ts';
import { gripOf, isNamedOnly } from '../issuer/wanted-grip.ts';
import {
  endBinding,
  endReservation,
  holds,
  insertBinding,
  keepBinding,
  type OpenBinding,
  type OpenBindings,
} from '../store/bindings.ts';
import { findJob, readState } from '../store/jobs.ts';
import type { Queries, Reads } from '../store/store.ts';
import { Overtaken } from '../store/turns.ts';

/**
 * Once keys may be on the card, the account is the customer's who was sent home with a torn card, and comes again. Before that it is kept as
 * long as a silent station keeps its card.
 */
const KEPT_WRITTEN_MILLISECONDS = 24 * 3600_000;

/** When something is secured, by which job, whether its card has shown itself, and until when a silent station keeps its card (ISO 8601). */
interface Securing {
  readonly at: string;
  readonly job: string;
  readonly shown: boolean;
  readonly leaseEnd: string;
}

/** Until when an account is kept; null: for good. */
function keptUntil(grip: Exclude<Grip, 'none'>, { at, leaseEnd }: Securing): string | null {
  switch (grip) {
    case 'begun':
      return leaseEnd;
    case 'written':
      return new Date(Date.parse(at) + KEPT_WRITTEN_MILLISECONDS).toISOString();
    case 'bound':
      return null;
  }
}

/** The job, with what it holds of its account once this is committed, and what has to be secured for that. */
export function gripped(
  now: JobOnCard,
  step: Parameters<typeof gripOf>[1],
): { readonly next: JobOnCard; readonly grip: Grip } {
  const wants = gripOf(now, step);
  const has = now.job.grip;
  return { next: { ...now, job: { ...now.job, grip: stronger(has, wants) } }, grip: toSecure(has, wants) };
}

/**
 * Secures the account for the job's card. `open`: as read in the same transaction, behind the card's row.
 * @throws KaikaError `account-taken`, `account-mismatch`; Overtaken when somebody else was given it meanwhile
 */
export async function secureAccount(
  db: Queries,
  { identification: card, account, accountFactor: factor }: JobState,
  grip: Grip,
  { own, other }: OpenBindings,
  by: Securing,
): Promise<void> {
  if (grip === 'none') return;
  if (await keeps(db, other, by)) throw new KaikaError('account-taken', 'another card has this account');
  if (own?.account !== account && (await keeps(db, own, by)))
    throw new KaikaError('account-mismatch', 'the card belongs to another account');
  const until = keptUntil(grip, by);
  if (other !== undefined) await end(db, other, by.at);
  if (own !== undefined && own.account === account) return keep(db, own, until, by);
  if (own !== undefined) await end(db, own, by.at);
  await insertBinding(db, { card, account, factor, since: by.at, job: by.job, reserved_until: until });
}

/** The job is over, and nothing came of it: the account that it had kept for the card is free again. What another job has kept stays. */
export async function letGo(
  db: Queries,
  job: string,
  { identification, grip }: JobState,
  at: string,
): Promise<void> {
  if (grip === 'begun') await endReservation(db, identification, job, at);
}

async function end(db: Queries, binding: OpenBinding, at: string): Promise<void> {
  if (!(await endBinding(db, binding, at))) throw new Overtaken();
}

/** Never for a shorter time than it is kept already. What a station only named is this job's once the card has shown itself to it. */
async function keep(db: Queries, own: OpenBinding, until: string | null, by: Securing): Promise<void> {
  const { reservedUntil, card } = own;
  if (reservedUntil === null) return;
  const longer = until === null || until > reservedUntil;
  const takenOver = by.shown && own.job !== by.job && (await isOnlyNamed(db, own));
  if (!longer && !takenOver) return;
  if (!(await keepBinding(db, card, longer ? until : reservedUntil, takenOver ? by.job : undefined)))
    throw new Overtaken();
}

/** Whether it keeps the account from this job. A card that has shown itself goes before one that a station only named. */
async function keeps(db: Queries, binding: OpenBinding | undefined, by: Securing): Promise<boolean> {
  if (binding === undefined || !holds(binding, by.at)) return false;
  return !by.shown || !(await isOnlyNamed(db, binding));
}

/** Nothing but the word of a station says that there is such a card: it has not shown itself to the job that keeps the account for it. */
export async function isOnlyNamed(
  db: Reads,
  { job, reservedUntil }: Pick<OpenBinding, 'job' | 'reservedUntil'>,
): Promise<boolean> {
  const row = reservedUntil === null || job === null ? undefined : await findJob(db, job);
  return row !== undefined && isNamedOnly(readState(row));
}
