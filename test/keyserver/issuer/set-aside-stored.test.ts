/** Why a card is set aside, as columns of the store have it. */
import { describe, expect, it } from 'vitest';
import { readSetAside } from '../../../app/keyserver/issuer/set-aside-stored.ts';

describe('a column', () => {
  it.each([
    [null, null],
    ['{"code":"domain-keys-differ"}', { code: 'domain-keys-differ' }],
    // An instance of an older version beside this one.
    ['e-wallet: a key on the card is damaged', { code: 'key-damaged', app: 'e-wallet' }],
    ['nobody knows', { code: 'other', text: 'nobody knows' }],
  ])('%s', (column, reason) => {
    expect(readSetAside(column)).toEqual(reason);
  });

  it('that is damaged is not taken for a sentence', () => {
    expect(() => readSetAside('{"code":"none"}')).toThrow();
  });
});
