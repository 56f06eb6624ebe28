import { describe, expect, it } from 'vitest';
import type { JobState, ReaderState } from '../../electron/ipc-schema.ts';
import { newlyEnded, stageOf } from '../../renderer/logic/stage.ts';
import { card, FOREIGN, job, NUMBER, reader } from '../../renderer/mock/values.ts';

const DONE: JobState = { kind: 'done', result: { result: 'complete', apps: [], deleted: [] } };
const working = (writing: boolean): JobState => ({ kind: 'working', writing });

describe('a lane shows', () => {
  it.each([
    ['an empty reader', { kind: 'empty' }, undefined, { kind: 'empty' }],
    ['a card being read', { kind: 'looking' }, undefined, { kind: 'looking' }],
    [
      'a card to serve',
      { kind: 'card', card: card() },
      undefined,
      { kind: 'choose', number: NUMBER, card: { number: NUMBER } },
    ],
    ['a card that is not ours', { kind: 'card', card: FOREIGN }, undefined, { kind: 'foreign' }],
    [
      'the job that has the card, writing',
      { kind: 'job', job: 'job-1', card: null },
      working(true),
      { kind: 'running', writing: true },
    ],
    [
      'the job that has the card, not writing',
      { kind: 'job', job: 'job-1', card: null },
      working(false),
      { kind: 'running', writing: false },
    ],
    [
      'a job whose card was taken out',
      { kind: 'empty', waiting: 'job-1' },
      { kind: 'waiting-for-card', code: 'card-removed' },
      { kind: 'waiting' },
    ],
    [
      'another card than the one waited for',
      { kind: 'card', card: card(), otherCard: 'job-1' },
      { kind: 'waiting-for-card', code: 'card-removed' },
      { kind: 'other-card' },
    ],
    [
      'a job in hand on the card that is there',
      { kind: 'card', card: card(), jobInHand: 'job-1' },
      { kind: 'waiting-for-disk' },
      { kind: 'waiting' },
    ],
    [
      'the end of a job, with the card read again',
      { kind: 'job', job: 'job-1', card: card() },
      DONE,
      { kind: 'ended', end: { kind: 'done' }, card: { number: NUMBER } },
    ],
    [
      'a job that failed',
      { kind: 'job', job: 'job-1', card: null },
      { kind: 'failed', fault: { code: 'card-in-use', details: {} } },
      { kind: 'ended', end: { kind: 'failed' } },
    ],
    [
      'what is wrong with a card, and the job that waits behind it',
      { kind: 'problem', code: 'card-mute' },
      { kind: 'waiting-for-card', code: 'card-removed' },
      { kind: 'problem', fault: { code: 'card-mute' }, job: { id: 'job-1' } },
    ],
  ] satisfies [string, ReaderState, JobState | undefined, object][])('%s', (_, state, jobState, expected) => {
    const jobs = jobState === undefined ? [] : [job(jobState)];
    expect(stageOf(reader(state), jobs)).toMatchObject(expected);
  });

  it('a job that is named but not known yet as a card being read', () => {
    expect(stageOf(reader({ kind: 'job', job: 'job-9', card: null }), []).kind).toBe('looking');
  });

  it('no job of another reader', () => {
    const other = job({ kind: 'waiting-for-card', code: 'no-card' }, { reader: 'Another' });
    expect(stageOf(reader({ kind: 'problem', code: 'card-mute' }), [other])).toMatchObject({ job: null });
  });
});

describe('the sound at the end', () => {
  it('is for a job that was in hand and is over now, once', () => {
    const before = [job(working(true))];
    const after = [job(DONE)];
    expect(newlyEnded(before, after)).toEqual([{ id: 'job-1', well: true }]);
    expect(newlyEnded(after, after)).toEqual([]);
  });

  it('tells a bad end from a good one', () => {
    const fault = { code: 'load-failed', details: {} } as const;
    const partial: JobState = { kind: 'done', result: { result: 'partial', apps: [], deleted: [] } };
    expect(newlyEnded([job(working(false))], [job({ kind: 'failed', fault })])).toEqual([
      { id: 'job-1', well: false },
    ]);
    expect(newlyEnded([job(working(false))], [job(partial)])).toEqual([{ id: 'job-1', well: false }]);
  });

  it('is not for what was given up, nor for what ended before the window was there', () => {
    expect(newlyEnded([job(working(false))], [job({ kind: 'abandoned' })])).toEqual([]);
    expect(newlyEnded([], [job(DONE)])).toEqual([]);
  });
});
