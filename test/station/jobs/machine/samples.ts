/** A job in each of its phases, and each thing that can happen to it. */
import type { Batch } from '../../../../app/protocol/wire.ts';
import type { JobEvent } from '../../../../app/station/jobs/machine/events.ts';
import type { Card, Hands, Phase } from '../../../../app/station/jobs/machine/phases.ts';
import { NO_PROGRESS } from '../../../../app/station/jobs/machine/progress.ts';
import { newJobRequest } from '../../../support/job-request.ts';

export const PLAN = { steps: [], trips: 2, memory: { needed: 0, free: null } };

/** A batch with one key write, which is an effect. */
export const batch = (seq: number, cardEpoch = 0): Batch => ({
  seq,
  cardEpoch,
  commands: [
    { apdu: '80F00101', accept: ['9000'], effect: true, label: { step: 'write-master-control-key' } },
  ],
});

export const OUTCOME = {
  result: 'complete',
  card: '6200000000000001',
  apps: [],
  deleted: [],
  trips: 2,
  plannedTrips: 2,
} as const;

const BOUND: Card = { kind: 'bound', epoch: 0 };
export const AWAY: Card = { kind: 'away', code: 'card-removed', epoch: 1, event: 'removed' };
export const GIVEN_UP: Hands = { kind: 'given-up', shown: { kind: 'abandoned' } };

const common = { card: BOUND, hands: { kind: 'in-hand' }, progress: NO_PROGRESS } as const;
const begun = { ...common, job: 'job-00000001', missed: 0 };

type Of<K extends Phase['kind']> = Extract<Phase, { readonly kind: K }>;

/** In hand, the card in the reader; the batch that is kept waits for a card that is away. */
export const PHASES: { readonly [K in Phase['kind']]: Of<K> } = {
  requested: {
    ...common,
    kind: 'requested',
    request: newJobRequest(),
    ask: { kind: 'asking' },
    mayHaveArrived: false,
    limited: true,
  },
  replied: { ...begun, kind: 'replied', card: AWAY, batch: batch(1, 1), full: false },
  started: { ...begun, kind: 'started', batch: batch(1), writing: true },
  stopped: {
    ...begun,
    kind: 'stopped',
    batch: batch(1),
    report: { answers: ['9000'] },
    full: true,
  },
  answered: {
    ...begun,
    kind: 'answered',
    seq: 1,
    answers: { apiLevel: 1, cardEpoch: 0, answers: ['9000'] },
    ask: { kind: 'asking' },
  },
  ended: {
    kind: 'ended',
    progress: NO_PROGRESS,
    shown: { kind: 'done', outcome: { ...OUTCOME, apps: [], deleted: [] } },
  },
};

export const EVENTS: { readonly [K in JobEvent['kind']]: Extract<JobEvent, { readonly kind: K }> } = {
  go: { kind: 'go' },
  'card-came': { kind: 'card-came' },
  'card-went': { kind: 'card-went', event: 'removed', code: 'card-removed' },
  'given-up': { kind: 'given-up' },
  'attempt-lost': { kind: 'attempt-lost' },
  'server-silent': { kind: 'server-silent', code: 'server-away', at: '2026-01-01T00:00:00.000Z' },
  'job-reply': {
    kind: 'job-reply',
    reply: { apiLevel: 1, job: 'job-00000001', generation: 1, plan: PLAN, batch: batch(1) },
  },
  'step-reply': { kind: 'step-reply', reply: { apiLevel: 1, batch: batch(2) } },
  'reply-refused': { kind: 'reply-refused', code: 'server-reply-refused' },
  'not-answered': { kind: 'not-answered', code: 'card-in-use', details: { station: 'Branch 7' } },
  command: { kind: 'command', index: 0, label: { step: 'write-master-control-key' }, effect: true },
  ran: { kind: 'ran', report: { answers: ['9000'] }, diskFull: false },
  broken: { kind: 'broken' },
};
