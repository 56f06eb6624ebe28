import { describe, expect, it } from 'vitest';
import type { JobState, JobView, StepView } from '../../electron/ipc-schema.ts';
import { appsOf, type Meter, metered } from '../../renderer/state/meter.ts';
import { CATALOGUE, job } from './mock.ts';

describe('percent', () => {
  it('of a load follows the commands of its batch and never goes back', () => {
    let meter: Meter | undefined;
    const told = [0, 10, 50, 40, 99].map((sent, at) => {
      meter = metered(meter, loading(sent, one), CATALOGUE, at);
      return meter.percents[0];
    });
    expect(told).toEqual([0, 10, 50, 50, 99]);
  });

  it('of two loads in one batch is shared by their size', () => {
    const two: readonly StepView[] = [
      { kind: 'load', app: 'campus-meal', state: 'running' },
      { kind: 'load', app: 'identity', state: 'waiting' },
    ];
    const { percents } = metered(undefined, loading(40, two), CATALOGUE, 0);
    // 22,528 of 29,696 bytes are the first one's.
    expect(percents).toEqual([Math.round((40 * 29_696) / 22_528), 0]);
    const later = two.map(
      (step): StepView => ({ ...step, state: step.app === 'identity' ? 'running' : 'done' }),
    );
    expect(metered(undefined, loading(75, later, 'identity'), CATALOGUE, 0).percents).toEqual([100, 0]);
    expect(metered(undefined, loading(90, later, 'identity'), CATALOGUE, 0).percents[1]).toBeGreaterThan(50);
  });

  it.each(['enable', 'renew'] as const)(
    'of %s goes up with what was written, and commands between change nothing',
    (kind) => {
      const steps: readonly StepView[] = [{ kind, app: 'e-wallet', state: 'running' }];
      let meter: Meter | undefined;
      const names = [
        'authenticate',
        'challenge',
        'write-maintenance-key',
        'challenge',
        'write-enabled-flag',
      ] as const;
      const told = names.map((step) => {
        const progress = { steps: [...steps], current: { step, app: 'e-wallet' }, sent: 1, commands: 3 };
        meter = metered(meter, job(WORKING, { progress }), CATALOGUE, 0);
        return meter.percents[0] ?? 0;
      });
      expect(told).toEqual([...told].sort((a, b) => a - b));
      expect(told[1]).toBe(told[0]);
      expect(told[4]).toBeGreaterThan(told[2] ?? 0);
      expect(told[4]).toBeLessThan(100);
    },
  );

  it('begins again when the card was taken out', () => {
    const before = metered(undefined, loading(60, one), CATALOGUE, 0);
    const away = loading(60, one, 'campus-meal', { kind: 'waiting-for-card', code: 'card-removed' });
    const pulled = metered(before, away, CATALOGUE, 1);
    expect(pulled.percents).toEqual([0, 0]);
    expect(metered(pulled, loading(5, one), CATALOGUE, 2).percents[0]).toBe(5);
  });
});

describe('time left', () => {
  const remainingAfter = (milliseconds: number, sent: number) => {
    const started = metered(undefined, loading(0, one), CATALOGUE, 0);
    return metered(started, loading(sent, one), CATALOGUE, milliseconds).remaining;
  };

  it('is told of a step that takes over ten seconds', () => {
    expect(remainingAfter(5_000, 25)).toBe(15_000);
  });

  it('is not told of a short one, nor before anything can be known', () => {
    expect(remainingAfter(2_000, 50)).toBeNull();
    expect(remainingAfter(500, 5)).toBeNull();
    expect(remainingAfter(5_000, 1)).toBeNull();
  });

  it('is counted from when the step began', () => {
    const first = metered(undefined, loading(50, one), CATALOGUE, 100_000);
    // 10 percent in 4 seconds, 40 to go.
    expect(metered(first, loading(60, one), CATALOGUE, 104_000).remaining).toBe(16_000);
  });
});

describe('apps of a job', () => {
  it('put loading and enabling together, loading weighing more', () => {
    expect(appsOf(one, [50, 0])).toEqual([
      { app: 'campus-meal', kind: 'load', state: 'running', percent: 38 },
    ]);
  });

  it('wait between two steps, and are done after the last', () => {
    const between = one.map(
      (step): StepView => ({ ...step, state: step.kind === 'load' ? 'done' : 'waiting' }),
    );
    expect(appsOf(between, [100, 0])[0]).toMatchObject({ kind: 'enable', state: 'waiting', percent: 75 });
    const over = one.map((step): StepView => ({ ...step, state: 'done' }));
    expect(appsOf(over, [100, 100])[0]).toMatchObject({ state: 'done', percent: 100 });
    const broken = one.map(
      (step): StepView => ({ ...step, state: step.kind === 'load' ? 'done' : 'failed' }),
    );
    expect(appsOf(broken, [100, 20])[0]?.state).toBe('failed');
  });
});

const WORKING: JobState = { kind: 'working', writing: true };

function loading(sent: number, steps: readonly StepView[], app = 'campus-meal', state = WORKING): JobView {
  const progress = { steps: [...steps], current: { step: 'load-block', app } as const, sent, commands: 100 };
  return job(state, { progress });
}

const one: readonly StepView[] = [
  { kind: 'load', app: 'campus-meal', state: 'running' },
  { kind: 'enable', app: 'campus-meal', state: 'waiting' },
];
