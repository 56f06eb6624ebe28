/** What can happen to a job, what can be done for it, and what may have to be on the disk first. Pure. */
import type { ErrorCode, ErrorDetails } from '../../../protocol/errors.ts';
import type {
  AnswersRequest,
  Batch,
  CardEvent,
  JobReply,
  JobRequest,
  Label,
  Outcome,
  PlanSummary,
  StepReply,
} from '../../../protocol/wire.ts';
import type { Ask, Phase, Report } from './phases.ts';

export type JobEvent =
  /** It is time to do what the phase is there for. */
  | { readonly kind: 'go' }
  /** The job's own card is in a reader, inside a transaction. */
  | { readonly kind: 'card-came' }
  /** That card went or was reset; `code` says so to staff. */
  | { readonly kind: 'card-went'; readonly event: CardEvent; readonly code: ErrorCode }
  /** Staff give the job up. */
  | { readonly kind: 'given-up' }
  /** An attempt to post the first request failed in such a way that the server may have it. */
  | { readonly kind: 'attempt-lost' }
  /** An attempt failed and will be repeated. `at`: ISO 8601. */
  | { readonly kind: 'server-silent'; readonly code: ErrorCode; readonly at: string }
  | { readonly kind: 'job-reply'; readonly reply: JobReply }
  | { readonly kind: 'step-reply'; readonly reply: StepReply }
  /** A reply broke a rule of the station's (check-batch.ts, check-outcome.ts): nothing of it is kept, and nothing is sent to the card. */
  | { readonly kind: 'reply-refused'; readonly code: ErrorCode }
  /** Asking came to an end without an answer. */
  | { readonly kind: 'not-answered'; readonly code: ErrorCode; readonly details: ErrorDetails }
  /** A command of the batch is about to be sent. */
  | { readonly kind: 'command'; readonly index: number; readonly label: Label; readonly effect: boolean }
  /** The batch is through, or has stopped. `diskFull`: because its next effect could not be noted. */
  | { readonly kind: 'ran'; readonly report: Report; readonly diskFull: boolean }
  /** Something failed that nobody foresaw. */
  | { readonly kind: 'broken' };

/** What the first reply says besides its batch: the server's name for the job, and its plan. */
export interface TakenJob {
  readonly job: string;
  readonly plan: PlanSummary;
}

/** How a job ended, and the receipt that came with that. Neither outcome nor error: it was given up, and nothing was left to tell. */
export interface JobEnd {
  readonly outcome?: Outcome;
  readonly error?: ErrorCode;
  readonly receipt?: string;
}

/** One transaction of the journal. */
export type Write =
  | {
      readonly kind: 'batch';
      readonly batch: Batch;
      /** Its first command is sent next. */
      readonly started: boolean;
      readonly taken?: TakenJob;
      readonly receipt?: string;
    }
  | { readonly kind: 'start' }
  | {
      readonly kind: 'answers';
      readonly seq: number;
      readonly answers: AnswersRequest;
      /** The card of their epoch is still powered in its reader. */
      readonly bound: boolean;
    }
  | { readonly kind: 'abandon' }
  | { readonly kind: 'end'; readonly how: JobEnd };

export type Effect =
  /** Posts the first request, with `givenUp` as soon as the job is; `limited`: only for as long as a person waits. */
  | { readonly kind: 'ask-job'; readonly request: JobRequest; readonly limited: boolean }
  | {
      readonly kind: 'ask-answers';
      readonly job: string;
      readonly seq: number;
      readonly answers: AnswersRequest;
    }
  /** Runs the batch on the card, noting each effect on the disk before it. */
  | { readonly kind: 'run'; readonly batch: Batch }
  /** Gives the card back to its reader. */
  | { readonly kind: 'release' }
  /** Overwrites what was dropped from the journal, so that no key write stays readable in its file. */
  | { readonly kind: 'scrub' }
  /** The event follows at once, or after a pause in which the disk may get room. */
  | { readonly kind: 'next'; readonly event: JobEvent }
  | { readonly kind: 'after-pause'; readonly event: JobEvent };

export interface Taken {
  readonly phase: Phase;
  readonly effects: readonly Effect[];
}

/** A step that needs no room on the disk, or one that is taken when its `write` is there. */
export type Step =
  | Taken
  | (Taken & {
      readonly write: Write;
      readonly ifFull: Taken;
    });

export function take(phase: Phase, ...effects: readonly Effect[]): Taken {
  return { phase, effects };
}

export const RELEASE: Effect = { kind: 'release' };
export const GO: Effect = { kind: 'next', event: { kind: 'go' } };
export const PAUSE: Effect = { kind: 'after-pause', event: { kind: 'go' } };

export const DUE: Ask = { kind: 'due' };
export const ASKING: Ask = { kind: 'asking' };
export const DISK: Ask = { kind: 'waiting-for-disk' };
