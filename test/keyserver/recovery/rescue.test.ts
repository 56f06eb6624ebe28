/** What a receipt's knowledge of keys is worth beside a store that forgot some. */
import { describe, expect, it } from 'vitest';
import type { KeyCandidate, KeySlotState } from '../../../app/dialects/key-slots.ts';
import type { CardState } from '../../../app/keyserver/issuer/card-state.ts';
import type { DomainKeySet } from '../../../app/keyserver/issuer/domain-keys.ts';
import { rescued } from '../../../app/keyserver/recovery/rescue.ts';

describe('an app’s keys', () => {
  it('are those of before where no job since was let in; tries stay spent', () => {
    const after = rescued(wallet(key('factory', 1), 1, 2), wallet(key('issuer', 2)), NOTHING);
    expect(after.apps['e-wallet']?.keys?.mck).toEqual(slot(key('issuer', 2), 2));
  });

  it.each([
    ['a job since was let in', wallet(key('issuer', 3)), wallet(key('issuer', 2)), new Set(['e-wallet'])],
    [
      'the app has been loaded anew',
      wallet(key('factory', 1), 2),
      wallet(key('issuer', 2), 1),
      new Set<string>(),
    ],
    ['they are the same', wallet(key('issuer', 2)), wallet(key('issuer', 2)), new Set<string>()],
  ])('stay what they are where %s', (_why, now, before, apps) => {
    expect(rescued(now, before, { ...NOTHING, apps, shown: apps })).toBe(now);
  });

  it('are put beside what a station only said since then, whatever its job did', () => {
    const told = { ...NOTHING, apps: new Set(['e-wallet']) };
    const said = contested(wallet(key('issuer', 3)), wallet(key('factory', 1)));
    const after = rescued(said, wallet(key('issuer', 2)), told).apps['e-wallet'];
    expect(after?.keys?.mck).toEqual(slot(key('issuer', 3)));
    expect(after?.kept?.keys.mck).toEqual(slot(key('issuer', 2)));
    expect(rescued(said, wallet(key('issuer', 2)), { ...told, shown: told.apps })).toBe(said);
  });

  it('are what was known beside them, where the receipt’s own job only said so', () => {
    const before = contested(wallet(key('issuer', 3)), wallet(key('issuer', 2)));
    const after = rescued(wallet(key('factory', 1), 1, 1), before, NOTHING).apps['e-wallet'];
    expect(after?.keys?.mck).toEqual(slot(key('issuer', 3), 1));
    expect(after?.kept?.keys.mck).toEqual(slot(key('issuer', 2), 1));
  });
});

describe('the security domain’s keys', () => {
  it('are those of before where no channel was opened since, also on a card that refused the factory’s', () => {
    const before = domain(set('issuer', 1, 0x20));
    expect(rescued({ apps: {} }, before, NOTHING).domain).toEqual(before.domain);
    expect(rescued(domain(set('factory', 1, 1), 2), before, NOTHING).domain).toEqual({
      ...before.domain,
      spent: 2,
    });
  });

  it('stay what they are where a channel was opened since, or before knew of none but the factory’s', () => {
    const now = domain(set('issuer', 2, 0x21));
    expect(rescued(now, domain(set('issuer', 1, 0x20)), { ...NOTHING, domain: 'shown' })).toBe(now);
    expect(rescued(now, domain(set('factory', 1, 1)), NOTHING)).toBe(now);
  });

  it('are those of before where a station only says that the card let it in with keys that it did not have', () => {
    const before = domain(set('issuer', 1, 0x20));
    const told = { ...NOTHING, domain: 'told' } as const;
    expect(rescued(domain(set('factory', 1, 1)), before, told).domain).toEqual(before.domain);
    const now = domain(set('issuer', 1, 0x20), 2);
    expect(rescued(now, before, told)).toBe(now);
  });
});

const key = (origin: 'factory' | 'issuer', version: number): KeyCandidate => ({
  origin,
  version,
  factor: '0123456789012345',
});

const slot = (candidate: KeyCandidate, spent = 0, refused = false): KeySlotState => ({
  candidates: [candidate],
  spent,
  refused,
});

const wallet = (candidate: KeyCandidate, instance = 1, spent = 0): CardState => ({
  apps: {
    'e-wallet': {
      state: 'enabled',
      instance,
      loadFileHash: null,
      inDoubt: false,
      keys: { mck: slot(candidate, spent), mtk: slot(candidate) },
    },
  },
});

/** `is`, as a station said it of an app of which `was` was known. */
function contested(is: CardState, was: CardState): CardState {
  const [app, known] = [is.apps['e-wallet'], was.apps['e-wallet']];
  if (app === undefined || known?.keys == null) throw new Error('no wallet');
  const { state, instance, keys } = known;
  return { apps: { 'e-wallet': { ...app, kept: { state, instance, keys } } } };
}

const NOTHING = { apps: new Set<string>(), shown: new Set<string>(), domain: 'no' } as const;

const set = (origin: 'factory' | 'issuer', version: number, keyVersion: number): DomainKeySet => ({
  origin,
  version,
  keyVersion,
  data: null,
});

const domain = (one: DomainKeySet, spent = 0): CardState => ({
  apps: {},
  domain: { candidates: [one], spent, leaving: null },
});
