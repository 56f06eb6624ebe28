/**
 * A job as a value: its phase, what it knows of its card and what staff see of it. Every phase has exactly the fields that mean something in
 * it. Pure; how one phase becomes the next is in machine.ts.
 */
import type { ErrorCode, ErrorDetails } from '../../../protocol/errors.ts';
import type { AnswersRequest, Batch, CardEvent, JobRequest, Outcome } from '../../../protocol/wire.ts';
import type { JobState, ProgressView } from '../../views.ts';

/**
 * The job's card, and the epoch it counts in. `bound`: commands of this epoch may have reached the card, so the epoch ends when the
 * card goes. `here`: the card is in the reader, and nothing was sent in this epoch. `away`: it is in no reader; `code` says to
 * staff why. `event` is what ended an earlier epoch, until the server was told.
 */
export type Card = { readonly epoch: number; readonly event?: CardEvent } & (
  | { readonly kind: 'bound' }
  | { readonly kind: 'here' }
  | { readonly kind: 'away'; readonly code: ErrorCode }
);

/** How a job is over for staff. */
export type Over = Extract<JobState, { readonly kind: 'done' | 'failed' | 'abandoned' }>;

/** Whether staff still have to do with the job. Given up, it only tells the server what that must still be told. */
export type Hands =
  | { readonly kind: 'in-hand' }
  | { readonly kind: 'given-up'; readonly shown: Exclude<Over, { readonly kind: 'done' }> };

/**
 * Where the asking of the server stands. `due`: the request leaves with the next `go`. `waiting-for-server`: an attempt failed and will be
 * repeated by whoever asks; `since` is ISO 8601. `waiting-for-disk`: nothing can be written, so it leaves after a pause.
 */
export type Ask =
  | { readonly kind: 'due' }
  | { readonly kind: 'asking' }
  | {
      readonly kind: 'waiting-for-server';
      readonly code: ErrorCode;
      readonly since: string;
      readonly cardPresent: boolean;
    }
  | { readonly kind: 'waiting-for-disk' };

/** What came back of a batch, as `answersRequestSchema` has it. */
export interface Report {
  readonly answers: readonly string[];
  readonly stoppedAt?: number;
  readonly reached?: boolean;
}

interface Common {
  readonly card: Card;
  readonly hands: Hands;
  readonly progress: ProgressView;
}

interface Begun extends Common {
  /** The server's name for the job. */
  readonly job: string;
  /** Batches in a row that were for an epoch that is over. */
  readonly missed: number;
}

/** The request is on the disk and may have left. */
export interface Requested extends Common {
  readonly kind: 'requested';
  readonly request: JobRequest;
  readonly ask: Ask;
  /** The request, or a copy of it, may have got to the server. */
  readonly mayHaveArrived: boolean;
  /** Somebody waits at the counter, so the asking has a limit. */
  readonly limited: boolean;
}

/** A batch is kept; none of it was sent, because it waits for its card or for room on the disk. */
export interface Replied extends Begun {
  readonly kind: 'replied';
  readonly batch: Batch;
  readonly full: boolean;
}

/** The batch is being run. */
export interface Started extends Begun {
  readonly kind: 'started';
  readonly batch: Batch;
  /** The batch holds something that changes the card, so staff are told to leave it where it is, from its first command to its last. */
  readonly writing: boolean;
}

/**
 * The batch has stopped, and what came of it is not on the disk yet, where the job still counts as started: the disk is full, or the
 * program has just begun and found the batch so.
 */
export interface Stopped extends Begun {
  readonly kind: 'stopped';
  readonly batch: Batch;
  readonly report: Report;
  readonly full: boolean;
}

/** Answers are on the disk until the server's next reply is. */
export interface Answered extends Begun {
  readonly kind: 'answered';
  readonly seq: number;
  readonly answers: AnswersRequest;
  readonly ask: Ask;
}

/** Nothing is left to do, for the server neither. */
interface Ended {
  readonly kind: 'ended';
  readonly progress: ProgressView;
  readonly shown: Over;
}

/** A job that the server may still have to be told of. */
export type Unfinished = Requested | Replied | Started | Stopped | Answered;
export type Phase = Unfinished | Ended;

/** Whether staff still have to do with the job. */
export function isInHand(phase: Phase): boolean {
  return phase.kind !== 'ended' && phase.hands.kind === 'in-hand';
}

/** Whether the job may have its card now: it is in hand and has none. */
export function wantsCard(phase: Phase): boolean {
  return phase.kind !== 'ended' && phase.hands.kind === 'in-hand' && phase.card.kind === 'away';
}

/** Whether staff may give the job up: not while commands run, and not before it is on the disk what came of them. */
export function mayBeGivenUp(phase: Phase): boolean {
  return isInHand(phase) && phase.kind !== 'started' && phase.kind !== 'stopped';
}

/** What staff see of it. */
export function shownOf(phase: Phase): JobState {
  if (phase.kind === 'ended') return phase.shown;
  return phase.hands.kind === 'given-up' ? phase.hands.shown : inHand(phase);
}

function inHand(phase: Unfinished): JobState {
  switch (phase.kind) {
    case 'started':
      return { kind: 'working', writing: phase.writing, atCard: true };
    case 'replied':
    case 'stopped':
      return phase.full ? { kind: 'waiting-for-disk' } : ofCard(phase.card);
    case 'requested':
    case 'answered':
      return ofAsk(phase.ask, phase.card);
  }
}

function ofAsk(ask: Ask, card: Card): JobState {
  switch (ask.kind) {
    case 'due':
    case 'asking':
      return ofCard(card);
    case 'waiting-for-server':
    case 'waiting-for-disk':
      return ask;
  }
}

function ofCard(card: Card): JobState {
  return card.kind === 'away'
    ? { kind: 'waiting-for-card', code: card.code }
    : { kind: 'working', writing: false };
}

/** The error a job failed with, as staff are told it. */
export function failure(code: ErrorCode, details: ErrorDetails): Extract<Over, { readonly kind: 'failed' }> {
  return { kind: 'failed', code, details };
}

/** The outcome, as staff are told it. */
export function done(outcome: Outcome): Over {
  return { kind: 'done', outcome };
}
