/** The vault's supervisor as a table: every phase, every event. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { supervise } from '../../../app/keyserver/vault/supervisor-machine.ts';
import type { SupervisorEffect, SupervisorEvent, SupervisorState } from './supervisor-samples.ts';
import { AT, answered, EVENTS, GONE, OLD, opened } from './supervisor-samples.ts';

describe.each(Object.entries(EVENTS))('%s', (name, event) => {
  it.each(Object.entries(STATES))('in %s', (phase, state) => {
    const step = supervise(state, event, LIMITS);
    const row = TABLE[name as keyof typeof TABLE];
    expect(told(step.state, step.effects)).toBe(row[Object.keys(STATES).indexOf(phase)]);
  });
});

it('the pauses double up to ten seconds, and an answer ends the row', () => {
  let state: SupervisorState = STATES.starting;
  const pauses: number[] = [];
  for (let start = 0; start < 9; start += 1) {
    const failed = supervise(state, EVENTS['start failed'], LIMITS);
    for (const effect of failed.effects) if (effect.kind === 'pause') pauses.push(effect.ms);
    state = supervise(failed.state, { kind: 'pause-over' }, LIMITS).state;
  }
  expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  const up = supervise(state, { ...opened('open'), process: OLD } as SupervisorEvent, LIMITS).state;
  expect(up).toMatchObject({ phase: 'serving', failures: 10 });
  expect(supervise(up, answered(OLD, 1), LIMITS).state).toMatchObject({ failures: 0 });
});

it('a successor whose PIN was refused is not tried again; another failure is after a minute', () => {
  const refused = supervise(STATES.replacing, opened('pin-refused'), LIMITS).state;
  expect(
    supervise(refused, { ...answered(OLD, 2_000), at: 1e12 } as SupervisorEvent, LIMITS).effects,
  ).toEqual([]);
  const failed = supervise(STATES.replacing, EVENTS['start failed'], LIMITS).state;
  const grown = (at: number) => supervise(failed, { ...answered(OLD, 2_000), at } as SupervisorEvent, LIMITS);
  expect(grown(AT + 59_999).effects).toEqual([]);
  expect(grown(AT + 60_000).effects).toEqual([{ kind: 'launch' }]);
});

it('whatever happens, one process is being started at most, and somebody serves, starts or waits', () => {
  const event = fc.constantFrom<'start' | 'fail' | 'grow' | 'end' | 'wait'>(
    'start',
    'fail',
    'grow',
    'end',
    'wait',
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      let state: SupervisorState = STATES.serving;
      let starting = 0;
      let paused = false;
      let id = 10;
      const take = (next: SupervisorEvent): void => {
        const step = supervise(state, next, LIMITS);
        state = step.state;
        for (const { kind } of step.effects) {
          if (kind === 'launch') starting += 1;
          if (kind === 'pause') paused = true;
        }
      };
      for (const [at, kind] of events.entries()) {
        if ((kind === 'start' || kind === 'fail') && starting === 1) {
          starting -= 1;
          id += 1;
          if (kind === 'fail') take({ kind: 'start-failed', error: GONE, at });
          else take({ ...opened('open'), process: { id, pid: id }, at } as SupervisorEvent);
        } else if (kind === 'wait' && paused) {
          paused = false;
          take({ kind: 'pause-over' });
        } else if (state.phase === 'serving') {
          if (kind === 'grow') take({ ...answered(state.process, 5_000), at } as SupervisorEvent);
          if (kind === 'end') take({ kind: 'ended', process: state.process, reason: 'SIGKILL', at });
        }
        expect(starting).toBeLessThanOrEqual(1);
        expect(state.phase === 'serving' || starting === 1 || paused).toBe(true);
      }
    }),
  );
});

const STATES = {
  starting: { phase: 'starting', failures: 1 },
  pausing: { phase: 'pausing', failures: 2 },
  serving: { phase: 'serving', process: OLD, since: AT - 5, failures: 1, replacing: false, replaceAfter: 0 },
  replacing: { phase: 'serving', process: OLD, since: AT - 5, failures: 1, replacing: true, replaceAfter: 0 },
  closed: { phase: 'closed' },
} as const satisfies Record<string, SupervisorState>;

const LIMITS = { recycleCalls: 1_000, recycleRss: 400 };

/** A step in a few words: the phase it leads to, and the effects in their order. */
function told(state: SupervisorState, effects: readonly SupervisorEffect[]): string {
  const phase = state.phase === 'serving' && state.replacing ? 'replacing' : state.phase;
  const who = state.phase === 'serving' ? ` ${state.process.id}` : '';
  const done = effects.map((effect) => {
    switch (effect.kind) {
      case 'tell':
        return `tell ${effect.event.kind}`;
      case 'dismiss':
        return `dismiss ${effect.process.id}`;
      case 'pause':
        return `pause ${effect.ms}`;
      default:
        return effect.kind;
    }
  });
  return [`${phase}${who}`, ...done].join(', ');
}

const OLD_SERVES = 'serving 1';

const OLD_IS_REPLACED = 'serving 2, ready, tell replaced, dismiss 1';

const OLD_IS_KEPT = 'serving 1, tell start-failed, dismiss 2';

/** Columns: starting, pausing, serving, replacing, closed. */
const TABLE: Record<keyof typeof EVENTS, readonly [string, string, string, string, string]> = {
  'opened, token open': [
    'serving 2, ready',
    'pausing, dismiss 2',
    OLD_IS_REPLACED,
    OLD_IS_REPLACED,
    'closed, dismiss 2',
  ],
  'opened, token away': [
    'serving 2, ready',
    'pausing, dismiss 2',
    OLD_IS_KEPT,
    OLD_IS_KEPT,
    'closed, dismiss 2',
  ],
  'opened, PIN refused': [
    'serving 2, ready',
    'pausing, dismiss 2',
    OLD_IS_KEPT,
    OLD_IS_KEPT,
    'closed, dismiss 2',
  ],
  'start failed': [
    'pausing, tell start-failed, pause 100, away',
    'pausing',
    OLD_SERVES,
    OLD_SERVES,
    'closed',
  ],
  'answered, small': ['starting', 'pausing', OLD_SERVES, 'replacing 1', 'closed'],
  'answered, grown': ['starting', 'pausing', 'replacing 1, launch', 'replacing 1', 'closed'],
  'answered, fat': ['starting', 'pausing', 'replacing 1, launch', 'replacing 1', 'closed'],
  'answered, fat at once': ['starting', 'pausing', OLD_SERVES, 'replacing 1', 'closed'],
  'answered by another, grown': ['starting', 'pausing', OLD_SERVES, 'replacing 1', 'closed'],
  ended: [
    'starting',
    'pausing',
    'pausing, tell ended, tell start-failed, pause 100, away',
    'starting, tell ended',
    'closed',
  ],
  'ended after a long life': [
    'starting',
    'pausing',
    'starting, tell ended, launch',
    'starting, tell ended',
    'closed',
  ],
  'another ended': ['starting', 'pausing', OLD_SERVES, 'replacing 1', 'closed'],
  'pause over': ['starting', 'starting, launch', OLD_SERVES, 'replacing 1', 'closed'],
  close: ['closed', 'closed', 'closed', 'closed', 'closed'],
};
