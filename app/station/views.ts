/** What the engine shows: plain serialisable values, for a screen behind a message port and for a command line alike. */
import type { ServiceFault } from '../card/reader-port.ts';
import type { ErrorCode, ErrorDetails } from '../protocol/errors.ts';
import type { Label, Outcome, PlanSummary, Wish } from '../protocol/wire.ts';
import type { CardLook } from './readers/look.ts';

/** How far one step of the plan is. */
export interface StepView {
  readonly kind: PlanSummary['steps'][number]['kind'];
  readonly app: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
}

/** How far a job is. `current`: what the last command is for. `sent` of `commands` of the batch in hand. */
export interface ProgressView {
  readonly plan: PlanSummary | null;
  readonly steps: readonly StepView[];
  readonly current: Label | null;
  readonly sent: number;
  readonly commands: number;
}

/**
 * Where a job stands. `writing` is true while commands run of which any changes the card: "do not remove the card".
 * `failed`, `abandoned`: over for staff; what the server still has to be told goes on behind the scenes.
 */
export type JobState =
  /** `atCard`: the next answer is the card's, not the server's. */
  | { readonly kind: 'working'; readonly writing: boolean; readonly atCard?: true }
  | { readonly kind: 'waiting-for-card'; readonly code: ErrorCode }
  | {
      readonly kind: 'waiting-for-server';
      readonly code: ErrorCode;
      readonly since: string;
      readonly cardPresent: boolean;
    }
  | { readonly kind: 'waiting-for-disk' }
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly details: ErrorDetails }
  | { readonly kind: 'abandoned' };

export interface JobView {
  /** The station's name for the job. */
  readonly id: string;
  /** Where it runs, or was last. */
  readonly reader: string;
  /** The card's identification code. */
  readonly card: string;
  /** ISO 8601. */
  readonly created: string;
  readonly wishes: readonly Pick<Wish, 'app' | 'action'>[];
  readonly progress: ProgressView;
  readonly state: JobState;
}

/**
 * What a reader shows. `job`: a job runs on the card in it, or has just ended there (`look` then follows as soon as the
 * card was read again). `card.otherCard`: a job begun in this reader waits for another card than this one, which it
 * leaves alone. `empty.waiting`: a job begun here waits for its card. Jobs are named by id; see `Snapshot.jobs`.
 */
export type ReaderViewState =
  | { readonly kind: 'empty'; readonly waiting?: string }
  | { readonly kind: 'looking' }
  | {
      readonly kind: 'card';
      readonly look: CardLook;
      readonly jobInHand?: string;
      readonly otherCard?: string;
    }
  | { readonly kind: 'job'; readonly job: string; readonly look: CardLook | null }
  | { readonly kind: 'problem'; readonly code: ErrorCode };

export interface ReaderView {
  readonly name: string;
  readonly state: ReaderViewState;
}

export type ServiceView =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'missing'; readonly fault: ServiceFault; readonly code: ErrorCode };

/** The server as the last request found it. `clockAheadMs`: our clock less the server's, when they differ by over 5 minutes. */
export interface ServerView {
  readonly state: 'unknown' | 'up' | 'away';
  readonly code?: ErrorCode;
  /** ISO 8601. */
  readonly lastSeen?: string;
  readonly clockAheadMs?: number;
}

export interface OperatorView {
  readonly id: string;
  readonly name: string;
  /** ISO 8601. */
  readonly expires: string;
}

/** Everything at one moment. */
export interface Snapshot {
  readonly service: ServiceView;
  readonly server: ServerView;
  readonly operator: OperatorView | null;
  readonly readers: readonly ReaderView[];
  /** Jobs in hand, and those whose end the reader they ran in still shows. */
  readonly jobs: readonly JobView[];
}

/** `snapshot` comes first and whole; then only what changed. */
export type Notification =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly kind: 'service'; readonly service: ServiceView }
  | { readonly kind: 'server'; readonly server: ServerView }
  | { readonly kind: 'operator'; readonly operator: OperatorView | null }
  | { readonly kind: 'reader'; readonly reader: ReaderView }
  | { readonly kind: 'reader-gone'; readonly name: string }
  | { readonly kind: 'job'; readonly job: JobView }
  | { readonly kind: 'job-gone'; readonly id: string };
