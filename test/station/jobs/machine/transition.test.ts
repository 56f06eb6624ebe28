/**
 * What becomes of a job in each phase with each event. A row says: what is written first, the phase then, what staff see, and the effects;
 * in brackets what happens instead where the disk is full. `-` leaves everything as it is.
 */
import { describe, expect, it } from 'vitest';
import type { JobEvent, Step, Taken } from '../../../../app/station/jobs/machine/events.ts';
import { type Card, type Phase, shownOf } from '../../../../app/station/jobs/machine/phases.ts';
import { MAX_MISSED, transition } from '../../../../app/station/jobs/machine/transition.ts';
import { AWAY, batch, EVENTS, GIVEN_UP, OUTCOME, PHASES } from './samples.ts';

describe.each(Object.values(PHASES).map((phase) => [phase.kind, phase] as const))('%s', (kind, phase) => {
  it.each(Object.values(EVENTS).map((event) => [event.kind, event] as const))('%s', (name, event) => {
    expect(row(phase, transition(phase, event))).toBe(TABLE[kind][name]);
  });
});

const { requested, replied, started, answered } = PHASES;
const here: Card = { kind: 'here', epoch: 1, event: 'removed' };

it.each<readonly [string, Phase, JobEvent, string]>([
  [
    'a request that is due leaves',
    { ...requested, ask: { kind: 'due' } },
    EVENTS.go,
    'requested: working, ask-job',
  ],
  [
    'a batch for a card that went meanwhile is kept',
    { ...requested, card: AWAY },
    EVENTS['job-reply'],
    'batch > replied: waiting-for-card, next [requested: waiting-for-disk, after-pause]',
  ],
  [
    'and not run: its epoch is over',
    { ...replied, batch: batch(1, 0) },
    EVENTS.go,
    'answers > answered: waiting-for-card, next, scrub [replied: waiting-for-disk, after-pause]',
  ],
  [
    'a batch for the next epoch is run when the card is back',
    { ...replied, card: here },
    EVENTS.go,
    'start > started: writing, run [replied: waiting-for-disk, after-pause]',
  ],
  [
    'a server that never names our epoch is broken',
    { ...replied, batch: batch(9, 7), missed: MAX_MISSED },
    EVENTS.go,
    'end > ended: failed, release, scrub [replied: waiting-for-disk, after-pause]',
  ],
  [
    'a batch out of order is not taken',
    answered,
    { kind: 'step-reply', reply: { apiLevel: 1, batch: batch(1) } },
    'end > ended: failed, release [answered: waiting-for-disk, after-pause]',
  ],
  [
    'an outcome ends it',
    answered,
    { kind: 'step-reply', reply: { apiLevel: 1, outcome: { ...OUTCOME, apps: [], deleted: [] } } },
    'end > ended: done, release [answered: waiting-for-disk, after-pause]',
  ],
  [
    'of a job that was given up staff see no outcome',
    { ...answered, hands: GIVEN_UP },
    { kind: 'step-reply', reply: { apiLevel: 1, outcome: { ...OUTCOME, apps: [], deleted: [] } } },
    'end > ended: abandoned, release [answered: abandoned, after-pause]',
  ],
  [
    'given up, it runs nothing any more',
    { ...answered, hands: GIVEN_UP },
    EVENTS['step-reply'],
    'batch > replied: abandoned, next [answered: abandoned, after-pause]',
  ],
  [
    'given up, it tells the server that effects were not run',
    { ...replied, hands: GIVEN_UP },
    EVENTS.go,
    'answers > answered: abandoned, next, scrub [replied: abandoned, after-pause]',
  ],
  [
    'given up, it leaves its card alone',
    { ...replied, hands: GIVEN_UP },
    EVENTS['card-came'],
    'replied: abandoned, release',
  ],
  [
    'too late and never sent: nobody need be told',
    requested,
    { kind: 'not-answered', code: 'server-away', details: {} },
    'end > ended: failed, release [requested: waiting-for-disk, after-pause]',
  ],
  [
    'too late, but it may have arrived: failed for staff, and asked after',
    { ...requested, mayHaveArrived: true },
    { kind: 'not-answered', code: 'server-away', details: {} },
    'abandon > requested: failed, release, next [requested: waiting-for-disk, after-pause]',
  ],
  [
    'stopped for want of room, the answers leave after a pause',
    started,
    { ...EVENTS.ran, diskFull: true },
    'answers > answered: waiting-for-disk, after-pause, scrub [stopped: waiting-for-disk, after-pause]',
  ],
  [
    'a wait for the server that is over when the card goes is shown as one for the card',
    { ...answered, ask: { kind: 'waiting-for-server', code: 'server-away', since: '', cardPresent: true } },
    EVENTS['card-went'],
    'answered: waiting-for-card, release',
  ],
])('%s', (_name, phase, event, expected) => {
  expect(row(phase, transition(phase, event))).toBe(expected);
});

/** Typed so that a phase or an event without its row does not compile. */
type Table = { readonly [P in Phase['kind']]: { readonly [E in JobEvent['kind']]: string } };

function said({ phase, effects }: Taken): string {
  const shown = shownOf(phase);
  const state = shown.kind === 'working' && shown.writing ? 'writing' : shown.kind;
  return [`${phase.kind}: ${state}`, ...effects.map((effect) => effect.kind)].join(', ');
}

function row(phase: Phase, step: Step): string {
  if ('write' in step) return `${step.write.kind} > ${said(step)} [${said(step.ifFull)}]`;
  return step.phase === phase && step.effects.length === 0 ? '-' : said(step);
}

const NOTHING = {
  go: '-',
  'card-came': '-',
  'card-went': '-',
  'given-up': '-',
  'attempt-lost': '-',
  'server-silent': '-',
  'job-reply': '-',
  'step-reply': '-',
  'reply-refused': '-',
  'not-answered': '-',
  command: '-',
  ran: '-',
} as const;

const TABLE: Table = {
  requested: {
    ...NOTHING,
    'card-went': 'requested: waiting-for-card, release',
    'given-up': 'abandon > requested: abandoned, release, next [requested: working]',
    'attempt-lost': 'requested: working',
    'server-silent': 'requested: waiting-for-server',
    'job-reply': 'batch > started: writing, run [requested: waiting-for-disk, after-pause]',
    'reply-refused': 'end > ended: failed, release [requested: waiting-for-disk, after-pause]',
    'not-answered': 'end > ended: failed, release [requested: waiting-for-disk, after-pause]',
    broken: 'end > ended: failed, release [requested: waiting-for-disk, after-pause]',
  },
  replied: {
    ...NOTHING,
    'card-came': 'replied: working, next',
    'given-up': 'abandon > replied: abandoned, release, next [replied: waiting-for-card]',
    broken: 'end > ended: failed, release, scrub [replied: waiting-for-disk, after-pause]',
  },
  started: {
    ...NOTHING,
    'card-went': 'started: writing, release',
    'reply-refused': 'end > ended: failed, release, scrub [started: writing, after-pause]',
    command: 'started: writing',
    ran: 'answers > answered: working, next, scrub [stopped: waiting-for-disk, after-pause]',
    broken: 'end > ended: failed, release, scrub [started: writing, after-pause]',
  },
  stopped: {
    ...NOTHING,
    go: 'answers > answered: working, next, scrub [stopped: waiting-for-disk, after-pause]',
    'card-went': 'stopped: waiting-for-card, release',
    broken: 'end > ended: failed, release, scrub [stopped: waiting-for-disk, after-pause]',
  },
  answered: {
    ...NOTHING,
    'card-went': 'answered: waiting-for-card, release',
    'given-up': 'abandon > answered: abandoned, release, next [answered: working]',
    'server-silent': 'answered: waiting-for-server',
    'step-reply': 'batch > started: writing, run [answered: waiting-for-disk, after-pause]',
    'reply-refused': 'end > ended: failed, release [answered: waiting-for-disk, after-pause]',
    'not-answered': 'end > ended: failed, release [answered: waiting-for-disk, after-pause]',
    broken: 'end > ended: failed, release [answered: waiting-for-disk, after-pause]',
  },
  ended: { ...NOTHING, 'card-came': 'ended: done, release', broken: '-' },
};
