/**
 * One job as a machine: what an event makes of a phase, and what is to be done for it (design §3, §5). Pure; ../runner.ts does the effects.
 *
 * A step with a `write` is taken once that is on the disk, and its effects are done after that. Where nothing can be written the step is
 * not taken, and `ifFull` is what happens instead. So what is in memory is never ahead of what a restart would find.
 */
import type { ErrorCode, ErrorDetails } from '../../../protocol/errors.ts';
import type { Batch, JobReply, JobRequest, StepReply } from '../../../protocol/wire.ts';
import { holdsEffect } from './batches.ts';
import { arrived, bound, gone } from './card.ts';
import { end, endWith, failed } from './ending.ts';
import {
  ASKING,
  DISK,
  DUE,
  GO,
  type JobEvent,
  PAUSE,
  RELEASE,
  type Step,
  type Taken,
  type TakenJob,
  take,
} from './events.ts';
import {
  type Answered,
  failure,
  type Over,
  type Phase,
  type Replied,
  type Requested,
  type Started,
  type Unfinished,
} from './phases.ts';
import { atCommand, NO_PROGRESS, planned } from './progress.ts';
import { notRun, ran, store } from './report.ts';

/** Batches in a row for an epoch that is over, before the server counts as broken. */
export const MAX_MISSED = 8;
/** How often a job that was given up tells the server that a batch with effects was not run, before it lets the matter rest. */
const MAX_MISSED_GIVEN_UP = 2;

/** The phase of a job that was just written down; its card is in a reader, in epoch `request.cardEpoch`. */
export function begun(request: JobRequest): Requested {
  return {
    kind: 'requested',
    request,
    card: { kind: 'bound', epoch: request.cardEpoch },
    hands: { kind: 'in-hand' },
    progress: NO_PROGRESS,
    ask: DUE,
    mayHaveArrived: false,
    limited: true,
  };
}

/** What `event` makes of `phase`. An event that means nothing in a phase leaves it as it is: the same value, no effects. */
export function transition(phase: Phase, event: JobEvent): Step {
  if (phase.kind === 'ended') return event.kind === 'card-came' ? take(phase, RELEASE) : take(phase);
  switch (event.kind) {
    case 'go':
      return goOn(phase);
    case 'card-came':
      return cardCame(phase);
    case 'card-went': {
      if (phase.card.kind === 'away') return take(phase);
      const card = gone(phase.card, event.event, event.code);
      return take({ ...withoutWait(phase), card }, RELEASE);
    }
    case 'given-up':
      return givenUp(phase);
    case 'attempt-lost':
      return phase.kind === 'requested' && !phase.mayHaveArrived
        ? take({ ...phase, mayHaveArrived: true })
        : take(phase);
    case 'server-silent': {
      if (phase.kind !== 'requested' && phase.kind !== 'answered') return take(phase);
      const { ask } = phase;
      const since = ask.kind === 'waiting-for-server' ? ask.since : event.at;
      const cardPresent = phase.card.kind !== 'away';
      return take({ ...phase, ask: { kind: 'waiting-for-server', code: event.code, since, cardPresent } });
    }
    case 'job-reply':
      return phase.kind === 'requested' ? firstReply(phase, event.reply) : take(phase);
    case 'step-reply':
      return phase.kind === 'answered' ? reply(phase, event.reply) : take(phase);
    case 'reply-refused':
      return phase.kind === 'requested' || phase.kind === 'answered' || phase.kind === 'started'
        ? failed(phase, event.code, {})
        : take(phase);
    case 'not-answered':
      return notAnswered(phase, event.code, event.details);
    case 'command': {
      if (phase.kind !== 'started') return take(phase);
      const progress = atCommand(phase.progress, event.label, event.index, phase.batch.commands.length);
      return take({ ...phase, progress });
    }
    case 'ran':
      return phase.kind === 'started' ? ran(phase, event.report, event.diskFull) : take(phase);
    case 'broken':
      return failed(phase, 'internal', {});
  }
}

/** A wait for server or disk is shown again with the next attempt; until then staff read that the card went. */
function withoutWait(phase: Unfinished): Unfinished {
  switch (phase.kind) {
    case 'requested':
    case 'answered':
      if (phase.ask.kind === 'waiting-for-server') return { ...phase, ask: ASKING };
      return phase.ask.kind === 'waiting-for-disk' ? { ...phase, ask: DUE } : phase;
    case 'replied':
    case 'stopped':
      return { ...phase, full: false };
    case 'started':
      return phase;
  }
}

/** Does what the phase is there for: at the beginning, after a pause, and where the step before could only say what to do next. */
function goOn(phase: Unfinished): Step {
  switch (phase.kind) {
    case 'requested': {
      if (phase.ask.kind === 'asking' || phase.ask.kind === 'waiting-for-server') return take(phase);
      const limited = phase.limited && phase.hands.kind === 'in-hand';
      return take({ ...phase, ask: ASKING }, { kind: 'ask-job', request: phase.request, limited });
    }
    case 'answered': {
      if (phase.ask.kind === 'asking' || phase.ask.kind === 'waiting-for-server') return take(phase);
      const { job, seq, answers } = phase;
      return take({ ...phase, ask: ASKING }, { kind: 'ask-answers', job, seq, answers });
    }
    case 'replied':
      return decide(phase);
    case 'stopped':
      return store(phase, phase.report);
    case 'started':
      return take(phase);
  }
}

/** What is to be done about a batch that is kept. */
function decide(phase: Replied): Step {
  const { batch, card, missed } = phase;
  if (phase.hands.kind === 'given-up') {
    // The server needs to know that commands with effects were not run; of any others there is nothing to tell.
    if (holdsEffect(batch) && missed < MAX_MISSED_GIVEN_UP) return notRun(phase);
    return end(phase, phase.hands.shown, {});
  }
  if (card.kind === 'bound' || batch.cardEpoch !== card.epoch) {
    return missed >= MAX_MISSED ? failed(phase, 'server-answer-invalid', {}) : notRun(phase);
  }
  if (card.kind === 'away') return take(phase.full ? { ...phase, full: false } : phase);
  const { full: _, ...rest } = phase;
  const started: Started = {
    ...rest,
    kind: 'started',
    card: bound(card),
    missed: 0,
    writing: holdsEffect(batch),
  };
  return {
    write: { kind: 'start' },
    phase: started,
    effects: [{ kind: 'run', batch }],
    ifFull: take({ ...phase, full: true }, PAUSE),
  };
}

function cardCame(phase: Unfinished): Step {
  if (phase.hands.kind === 'given-up') return take(phase, RELEASE);
  if (phase.card.kind !== 'away') return take(phase);
  const card = arrived(phase.card);
  return phase.kind === 'replied' ? take({ ...phase, card }, GO) : take({ ...phase, card });
}

function givenUp(phase: Unfinished): Step {
  const stays = phase.hands.kind === 'given-up' || phase.kind === 'started' || phase.kind === 'stopped';
  if (stays) return take(phase);
  return giveUp(phase, { kind: 'abandoned' }, take(phase));
}

function giveUp<P extends Requested | Replied | Answered>(
  phase: P,
  shown: Exclude<Over, { readonly kind: 'done' }>,
  ifFull: Taken,
): Step {
  const card = gone(phase.card, 'reset', phase.card.kind === 'away' ? phase.card.code : 'card-removed');
  const hands = { kind: 'given-up', shown } as const;
  return {
    write: { kind: 'abandon' },
    phase: { ...phase, card, hands },
    effects: [RELEASE, GO],
    ifFull,
  };
}

function firstReply(asked: Requested, answer: JobReply): Step {
  // Also where the reply cannot be kept, because the disk is full: the server has the job.
  const phase: Requested = { ...asked, mayHaveArrived: true };
  const { card, hands } = phase;
  const begun = { card, hands, progress: planned(answer.plan), job: answer.job, missed: 0 };
  const taken = { job: answer.job, plan: answer.plan };
  if (answer.outcome !== undefined) {
    return endWith({ ...phase, progress: begun.progress }, answer.outcome, answer.receipt);
  }
  if (answer.batch === undefined) return failed(phase, 'server-answer-invalid', {});
  const kept = { batch: answer.batch, taken, receipt: answer.receipt };
  return keep(begun, kept, take({ ...phase, ask: DISK }, PAUSE));
}

function reply(phase: Answered, answer: StepReply): Step {
  if ('outcome' in answer) return endWith(phase, answer.outcome, answer.receipt);
  const { batch, receipt } = answer;
  if (batch.seq <= phase.seq) return failed(phase, 'server-answer-invalid', {});
  const { card, hands, progress, job, missed } = phase;
  const begun = { card, hands, progress, job, missed };
  return keep(begun, { batch, receipt }, take({ ...phase, ask: DISK }, PAUSE));
}

/** A batch has come: it is run at once where its card is there in the epoch that it names, and kept where not. */
function keep(
  begun: Omit<Replied, 'kind' | 'batch' | 'full'>,
  kept: { readonly batch: Batch; readonly taken?: TakenJob; readonly receipt: string | undefined },
  ifFull: Taken,
): Step {
  const { batch, taken, receipt } = kept;
  const { card, hands } = begun;
  const runs = card.kind === 'bound' && card.epoch === batch.cardEpoch && hands.kind === 'in-hand';
  const phase: Phase = runs
    ? { ...begun, kind: 'started', batch, missed: 0, writing: holdsEffect(batch) }
    : { ...begun, kind: 'replied', batch, full: false };
  return {
    write: {
      kind: 'batch',
      batch,
      started: runs,
      ...(taken === undefined ? {} : { taken }),
      ...(receipt === undefined ? {} : { receipt }),
    },
    phase,
    effects: [runs ? { kind: 'run', batch } : GO],
    ifFull,
  };
}

/** Asking came to an end without an answer: the server refuses, or the limit of a first request has passed. */
function notAnswered(phase: Unfinished, code: ErrorCode, details: ErrorDetails): Step {
  if (phase.kind !== 'requested' && phase.kind !== 'answered') return take(phase);
  if (phase.kind === 'requested' && code === 'server-away' && phase.mayHaveArrived) {
    const due: Requested = { ...phase, ask: DUE };
    if (phase.hands.kind === 'given-up') return take(due, GO);
    // It may yet have arrived: for staff the job has failed, and whether the server has it is cleared up in the background.
    return giveUp(due, failure(code, details), take({ ...phase, ask: DISK }, PAUSE));
  }
  return failed(phase, code, details);
}
