/** How a job comes to its end. Pure. */
import type { ErrorCode, ErrorDetails } from '../../../protocol/errors.ts';
import type { Batch, Outcome } from '../../../protocol/wire.ts';
import { holdsKeyWrite } from './batches.ts';
import { DISK, type Effect, type JobEnd, PAUSE, RELEASE, type Step, type Taken, take } from './events.ts';
import { type Answered, done, failure, type Over, type Requested, type Unfinished } from './phases.ts';
import { concluded } from './progress.ts';

/** With the outcome of the server's last reply. Staff who gave the job up are not told of it. */
export function endWith(phase: Requested | Answered, outcome: Outcome, receipt: string | undefined): Step {
  const how = { outcome, ...(receipt === undefined ? {} : { receipt }) };
  const given = phase.hands.kind === 'given-up';
  const progress = given ? phase.progress : concluded(phase.progress, outcome);
  return end({ ...phase, progress }, given ? phase.hands.shown : done(outcome), how);
}

/** Because of an error that will not pass. */
export function failed(phase: Unfinished, code: ErrorCode, details: ErrorDetails): Step {
  const shown = phase.hands.kind === 'given-up' ? phase.hands.shown : failure(code, details);
  return end(phase, shown, { error: code });
}

/** `shown`: what staff see of it from now on. The card goes back to its reader. */
export function end(phase: Unfinished, shown: Over, how: JobEnd): Step {
  return {
    write: { kind: 'end', how },
    phase: { kind: 'ended', progress: phase.progress, shown },
    effects: [RELEASE, ...('batch' in phase ? scrub(phase.batch) : [])],
    ifFull: whenFull(phase),
  };
}

/** A key write that is dropped from the journal is to be overwritten in its file too. */
export function scrub(batch: Batch): readonly Effect[] {
  return holdsKeyWrite(batch) ? [{ kind: 'scrub' }] : [];
}

/** The end could not be written down: the phase stays, and after a pause what brought it to its end is done again. */
function whenFull(phase: Unfinished): Taken {
  switch (phase.kind) {
    case 'requested':
    case 'answered':
      return take({ ...phase, ask: DISK }, PAUSE);
    case 'replied':
    case 'stopped':
      return take({ ...phase, full: true }, PAUSE);
    case 'started':
      return take(phase, { kind: 'after-pause', event: { kind: 'broken' } });
  }
}
