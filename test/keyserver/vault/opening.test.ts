/** When a token that could not be opened is tried again: every state, every failure. */
import { describe, expect, it } from 'vitest';
import { VaultError } from '../../../app/keyserver/vault/error.ts';
import type { Opening, OpeningFailure } from '../../../app/keyserver/vault/process/token/opening.ts';
import { afterFailure, obstacle } from '../../../app/keyserver/vault/process/token/opening.ts';

const GONE = new VaultError('hsm-away', 'gone');
const WRONG = new VaultError('hsm-away', 'wrong PIN');
const AT = 1_000;

describe('whether it is tried', () => {
  it.each([
    ['free', AT, 'old', undefined],
    ['pausing', AT - 1, 'old', GONE],
    ['pausing', AT, 'old', undefined],
    ['pausing, PIN refused before', AT - 1, 'old', GONE],
    ['pausing, PIN refused before', AT, 'old', WRONG],
    ['pausing, PIN refused before', AT, 'new', undefined],
    ['pin-refused', AT * 1e6, 'old', WRONG],
    ['pin-refused', AT, 'new', undefined],
  ] as const)('%s at %i with the %s PIN', (state, at, stamp, expected) => {
    expect(obstacle(STATES[state], { at, stamp })).toBe(expected);
  });
});

const AWAY: OpeningFailure = { kind: 'away', error: GONE, at: AT };
const REFUSED: OpeningFailure = { kind: 'pin-refused', error: WRONG, stamp: 'new' };

describe('after a failure', () => {
  it.each([
    ['free', AWAY, { state: 'pausing', error: GONE, until: AT + 100, pause: 100, refused: undefined }],
    ['pausing', AWAY, { state: 'pausing', error: GONE, until: AT + 800, pause: 800, refused: undefined }],
    [
      'pausing, PIN refused before',
      AWAY,
      { state: 'pausing', error: GONE, until: AT + 800, pause: 800, refused: PIN },
    ],
    ['pin-refused', AWAY, { state: 'pausing', error: GONE, until: AT + 100, pause: 100, refused: PIN }],
    ['free', REFUSED, { state: 'pin-refused', error: WRONG, stamp: 'new' }],
    ['pausing', REFUSED, { state: 'pin-refused', error: WRONG, stamp: 'new' }],
    ['pin-refused', REFUSED, { state: 'pin-refused', error: WRONG, stamp: 'new' }],
  ] as const)('in %s: %o', (state, failure, expected) => {
    expect(afterFailure(STATES[state], failure)).toEqual(expected);
  });

  it('the pauses end at five seconds', () => {
    let opening: Opening = STATES.free;
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      opening = afterFailure(opening, AWAY);
      if (opening.state === 'pausing') pauses.push(opening.pause);
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  });
});

const PIN = { error: WRONG, stamp: 'old' };

const STATES = {
  free: { state: 'free' },
  pausing: { state: 'pausing', error: GONE, until: AT, pause: 400, refused: undefined },
  'pausing, PIN refused before': { state: 'pausing', error: GONE, until: AT, pause: 400, refused: PIN },
  'pin-refused': { state: 'pin-refused', error: WRONG, stamp: 'old' },
} as const satisfies Record<string, Opening>;
