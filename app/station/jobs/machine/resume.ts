/** A job as an earlier run of the program left it. Whatever epoch was bound is over. Pure. */
import type { UnfinishedJob } from '../journal/rows.ts';
import type { Answered, Card, Hands, Phase, Replied, Requested, Stopped } from './phases.ts';
import { NO_PROGRESS, planned } from './progress.ts';

/**
 * The phase to go on from. A batch that was started is never run again: its last noted effect is reported as one whose outcome is not
 * known.
 */
export function resumed(row: UnfinishedJob): Phase {
  const hands: Hands = row.abandoned
    ? { kind: 'given-up', shown: { kind: 'abandoned' } }
    : { kind: 'in-hand' };
  if (row.phase === 'requested') {
    const phase: Requested = {
      kind: 'requested',
      request: row.request,
      card: cardOf(row),
      hands,
      progress: NO_PROGRESS,
      ask: { kind: 'due' },
      mayHaveArrived: true,
      limited: false,
    };
    return phase;
  }
  const begun = { card: cardOf(row), hands, progress: planned(row.plan), job: row.job, missed: 0 };
  switch (row.phase) {
    case 'replied':
      return { ...begun, kind: 'replied', batch: row.batch, full: false } satisfies Replied;
    case 'started': {
      const report = { answers: [], stoppedAt: row.effect ?? 0, reached: row.effect !== null };
      return { ...begun, kind: 'stopped', batch: row.batch, report, full: false } satisfies Stopped;
    }
    case 'answered': {
      const { seq, answers } = row;
      return { ...begun, kind: 'answered', seq, answers, ask: { kind: 'due' } } satisfies Answered;
    }
  }
}

/** Once commands may have been sent the card may be half written, and that is what staff have to know. */
function cardOf({ phase, epoch, bound }: UnfinishedJob): Card {
  const code = phase === 'requested' ? 'no-card' : 'card-removed';
  return bound ? { kind: 'away', code, epoch: epoch + 1, event: 'lost' } : { kind: 'away', code, epoch };
}
