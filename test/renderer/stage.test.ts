import { describe, expect, it } from 'vitest';
import type { JobState, ReaderState } from '../../electron/ipc-schema.ts';
import { stageOf, unseenJobs } from '../../renderer/features/counter/stage.ts';
import { needsSignIn, newlyEnded } from '../../renderer/state/jobs.ts';
import { card, FOREIGN, job, MOMENT, NUMBER, reader, station } from './mock.ts';

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

describe('work that no lane shows', () => {
  const waiting = job({ kind: 'waiting-for-card', code: 'reader-lost' });
  const second = job({ kind: 'waiting-for-card', code: 'no-card' }, { id: 'job-2' });

  it('is shown apart: its reader is gone, or shows another job', () => {
    expect(unseenJobs([], [waiting])).toEqual([waiting]);
    expect(unseenJobs([reader({ kind: 'empty', waiting: 'job-1' })], [waiting, second])).toEqual([second]);
  });

  it('is nothing that a lane shows, that is over, or whose card is just being read', () => {
    expect(unseenJobs([reader({ kind: 'empty', waiting: 'job-1' })], [waiting])).toEqual([]);
    expect(unseenJobs([reader({ kind: 'looking' })], [waiting])).toEqual([]);
    expect(unseenJobs([], [job(DONE)])).toEqual([]);
  });
});

describe('signing in is asked for', () => {
  const held = job({ kind: 'waiting-for-server', code: 'session-expired', since: MOMENT, cardPresent: true });
  const away = job({ kind: 'waiting-for-server', code: 'server-away', since: MOMENT, cardPresent: true });

  it.each([
    ['nobody is signed in', station({ operator: null }), true],
    ['a job is held up because the session is over', station({ jobs: [held] }), true],
    ['a job waits for the server only', station({ jobs: [away] }), false],
    ['all is well', station(), false],
  ])('when %s', (_, view, asked) => {
    expect(needsSignIn(view)).toBe(asked);
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

const DONE: JobState = { kind: 'done', result: { result: 'complete', apps: [], deleted: [] } };
const working = (writing: boolean): JobState => ({ kind: 'working', writing });
