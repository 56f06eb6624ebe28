/** From a batch that has stopped to answers that are on the disk. Pure. */
import { type AnswersRequest, API_LEVEL } from '../../../protocol/wire.ts';
import { withoutEvent } from './card.ts';
import { scrub } from './ending.ts';
import { DISK, DUE, GO, PAUSE, type Step, take } from './events.ts';
import type { Answered, Replied, Report, Started, Stopped } from './phases.ts';

/** What is reported of a batch of which nothing was sent. */
const NOT_RUN: Report = { answers: [], stoppedAt: 0, reached: false };

/** The batch is through, or has stopped. */
export function ran(phase: Started, report: Report, diskFull: boolean): Step {
  const { writing: _, ...rest } = phase;
  const stopped: Stopped = { ...rest, kind: 'stopped', report, full: false };
  return store(stopped, report, diskFull);
}

/** The batch was for a card that is no longer there: it is not run, and the server is told so. */
export function notRun(phase: Replied): Step {
  const { full: _, ...rest } = phase;
  const step = store(
    { ...rest, missed: phase.missed + 1, kind: 'stopped', report: NOT_RUN, full: false },
    NOT_RUN,
  );
  // Nothing is lost by staying where it was: nothing was sent.
  return 'write' in step ? { ...step, ifFull: take({ ...phase, full: true }, PAUSE) } : step;
}

/**
 * Answers are posted once they are on the disk: posted before, they could be lost. With `pause` they leave after a while: a batch that
 * stopped for want of room would only be followed by the next one.
 */
export function store(phase: Stopped, report: Report, pause = false): Step {
  const { batch, card, hands, progress, job, missed } = phase;
  const answers: AnswersRequest = {
    apiLevel: API_LEVEL,
    cardEpoch: card.epoch,
    answers: [...report.answers],
    ...(report.stoppedAt === undefined ? {} : { stoppedAt: report.stoppedAt }),
    ...(report.reached === undefined ? {} : { reached: report.reached }),
    ...(card.event === undefined ? {} : { cardEvent: card.event }),
  };
  const common = { card: withoutEvent(card), hands, progress, job, missed };
  const answered: Answered = {
    ...common,
    kind: 'answered',
    seq: batch.seq,
    answers,
    ask: pause ? DISK : DUE,
  };
  return {
    write: { kind: 'answers', seq: batch.seq, answers, bound: card.kind === 'bound' },
    phase: answered,
    effects: [pause ? PAUSE : GO, ...scrub(batch)],
    ifFull: take({ ...phase, full: true }, PAUSE),
  };
}
