/** What other systems are told of a card. */
import { expect, it } from 'vitest';
import type { KeyCandidate } from '../../../app/dialects/key-slots.ts';
import type { CardState } from '../../../app/keyserver/issuer/card-state.ts';
import { isIssued } from '../../../app/keyserver/records/shown.ts';

const key = (origin: 'factory' | 'issuer', version: number): KeyCandidate => ({
  origin,
  version,
  factor: '0123456789012345',
});
const card = (state: 'enabled' | 'installed', ...candidates: KeyCandidate[]): CardState => {
  const slot = { candidates, spent: 0, refused: false };
  return {
    apps: {
      'e-wallet': { state, instance: 1, loadFileHash: null, inDoubt: false, keys: { mck: slot, mtk: slot } },
    },
  };
};

it.each([
  ['enabled under a key of the issuer', card('enabled', key('issuer', 1)), true],
  [
    'enabled, while it is moved from one version to the next',
    card('enabled', key('issuer', 2), key('issuer', 1)),
    true,
  ],
  [
    'enabled, and it is not certain whether the issuer’s key is there',
    card('enabled', key('issuer', 1), key('factory', 1)),
    false,
  ],
  ['enabled under the manufacturer’s key', card('enabled', key('factory', 1)), false],
  ['not enabled', card('installed', key('issuer', 1)), false],
])('an app that is %s: issued or not', (_what, state, issued) => {
  expect(isIssued(state)).toBe(issued);
});
