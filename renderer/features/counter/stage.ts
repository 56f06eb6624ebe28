/** What a lane shows, from what its reader and its job are. Pure. */
import type { CardView, FaultView, JobView, ReaderView } from '../../../electron/ipc-schema.ts';
import { type End, endOf, inHand } from '../../state/jobs.ts';

export type Stage =
  | { readonly kind: 'empty' }
  | { readonly kind: 'looking' }
  /** A card that is not one of ours. */
  | { readonly kind: 'foreign'; readonly card: CardView }
  /** A card that is ready for a clerk's choice. */
  | { readonly kind: 'choose'; readonly card: CardView; readonly number: string }
  | {
      readonly kind: 'running';
      readonly job: JobView;
      readonly card: CardView | null;
      readonly writing: boolean;
    }
  | { readonly kind: 'waiting'; readonly job: JobView; readonly card: CardView | null }
  /** Another card than the one the job waits for. */
  | { readonly kind: 'other-card'; readonly job: JobView; readonly card: CardView }
  | { readonly kind: 'ended'; readonly job: JobView; readonly card: CardView | null; readonly end: End }
  | { readonly kind: 'problem'; readonly fault: FaultView; readonly job: JobView | null };

/** The lane of one reader. It may name a job whose own notification is still to come; until then the card counts as being read. */
export function stageOf(reader: ReaderView, jobs: readonly JobView[]): Stage {
  const find = (id: string | undefined) => jobs.find((job) => job.id === id);
  const { state } = reader;
  switch (state.kind) {
    case 'empty': {
      const waiting = find(state.waiting);
      return waiting === undefined ? { kind: 'empty' } : ofJob(waiting, null);
    }
    case 'looking':
      return { kind: 'looking' };
    case 'problem': {
      const job = jobs.find((one) => one.reader === reader.name && endOf(one) === undefined) ?? null;
      return { kind: 'problem', fault: { code: state.code, details: {} }, job };
    }
    case 'job': {
      const job = find(state.job);
      return job === undefined ? { kind: 'looking' } : ofJob(job, state.card);
    }
    case 'card':
      return ofCard(state.card, find(state.jobInHand), find(state.otherCard));
  }
}

function ofCard(card: CardView, inHand: JobView | undefined, other: JobView | undefined): Stage {
  if (inHand !== undefined) return ofJob(inHand, card);
  if (other !== undefined) return { kind: 'other-card', job: other, card };
  if (card.number === null || card.type === null) return { kind: 'foreign', card };
  return { kind: 'choose', card, number: card.number };
}

function ofJob(job: JobView, card: CardView | null): Stage {
  const end = endOf(job);
  if (end !== undefined) return { kind: 'ended', job, card, end };
  if (job.state.kind === 'working') return { kind: 'running', job, card, writing: job.state.writing };
  return { kind: 'waiting', job, card };
}

/** Jobs in hand that no lane shows: their reader is gone, or has another one to show. */
export function unseenJobs(readers: readonly ReaderView[], jobs: readonly JobView[]): JobView[] {
  const shown = new Set<string>();
  for (const reader of readers) {
    const stage = stageOf(reader, jobs);
    if ('job' in stage && stage.job !== null) shown.add(stage.job.id);
    // The card that is being read may be the one that a job of this reader waits for. Told as unseen, the job would flash up.
    if (stage.kind === 'looking') for (const job of jobs) if (job.reader === reader.name) shown.add(job.id);
  }
  return jobs.filter((job) => inHand(job) && !shown.has(job.id));
}
