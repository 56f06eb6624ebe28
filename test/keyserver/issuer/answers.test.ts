/** What a station's report says of each command, and which reports contradict themselves. */
import { describe, expect, it } from 'vitest';
import { readFates } from '../../../app/keyserver/issuer/answers.ts';
import type { Sent } from '../../../app/keyserver/issuer/state.ts';
import type { AnswersRequest } from '../../../app/protocol/wire.ts';

describe('fates', () => {
  it.each<[string, Partial<AnswersRequest>, string]>([
    ['all accepted', { answers: ['9000', '6A88', '00009000'] }, 'ok ok ok'],
    ['a prefix is accepted', { answers: ['9000', '9001', '0000FF9000'] }, 'ok ok ok'],
    ['refused by its status word', { answers: ['9000', '6985'] }, 'ok refused unsent'],
    ['refused by its data', { answers: ['9000', '9000', '00019000'] }, 'ok ok refused'],
    ['refused by data that are too short', { answers: ['9000', '9000', '009000'] }, 'ok ok refused'],
    ['refused, and the station says where', { answers: ['6F00'], stoppedAt: 0 }, 'refused unsent unsent'],
    [
      'pulled out',
      { answers: ['9000'], stoppedAt: 1, reached: true, cardEvent: 'removed' },
      'ok unknown unsent',
    ],
    ['never sent', { stoppedAt: 0, reached: false }, 'unsent unsent unsent'],
    [
      'not said whether it reached the card: it may have',
      { stoppedAt: 1, answers: ['9000'] },
      'ok unknown unsent',
    ],
    [
      'lost in a crash after the second began',
      { stoppedAt: 1, reached: true, cardEvent: 'lost' },
      'ok unknown unsent',
    ],
    [
      'lost in a crash before any effect',
      { stoppedAt: 0, reached: false, cardEvent: 'lost' },
      'unsent unsent unsent',
    ],
  ])('%s', (_name, report, expected) => {
    expect(fates(report)).toBe(expected);
  });

  it.each<[string, Partial<AnswersRequest>]>([
    ['more answers than commands', { answers: ['9000', '9000', '00009000', '9000'] }],
    ['an answer behind a refusal', { answers: ['6985', '9000'] }],
    ['answers missing without a word', { answers: ['9000'] }],
    ['stopped though everything was accepted', { answers: ['9000', '9000', '00009000'], stoppedAt: 2 }],
    ['stopped somewhere else than refused', { answers: ['6985'], stoppedAt: 1 }],
    ['stopped behind the batch', { stoppedAt: 3, answers: ['9000'], cardEvent: 'lost' }],
    ['a gap that no crash made', { stoppedAt: 2, answers: ['9000'], cardEvent: 'removed' }],
    ['stopped before what was answered', { stoppedAt: 0, answers: ['9000'], cardEvent: 'removed' }],
  ])('refuses a report with %s', (_name, report) => {
    expect(() => fates(report)).toThrow(expect.objectContaining({ code: 'bad-request' }));
  });
});

const sent = (accept = ['9000'], expected?: string): Sent => ({
  step: 0,
  meaning: { kind: 'pass' },
  accept,
  guarded: false,
  label: { step: 'select-app' },
  ...(expected === undefined ? {} : { expect: { value: expected, mask: 'FF'.repeat(expected.length / 2) } }),
});

const THREE = [sent(), sent(['90', '6A88']), sent(['9000'], '0000')];

const fates = (report: Partial<AnswersRequest>) =>
  readFates(THREE, { apiLevel: 1, cardEpoch: 0, answers: [], ...report })
    .map((fate) => fate.kind)
    .join(' ');
