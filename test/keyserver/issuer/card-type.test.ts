/** What may be said against a card's type, and what not. */
import { expect, it } from 'vitest';
import type { KeyCandidate } from '../../../app/dialects/key-slots.ts';
import type { AppKeys } from '../../../app/dialects/keys.ts';
import type { CardState } from '../../../app/keyserver/issuer/card-state.ts';
import { asOfType, standingOf } from '../../../app/keyserver/issuer/card-type.ts';
import type { DomainState } from '../../../app/keyserver/issuer/domain-keys.ts';
import { OWN_RESOURCES, openCatalogue } from '../../../app/keyserver/resources.ts';

it.each<[string, CardState, string | null, ReturnType<typeof standingOf>]>([
  ['nothing', { apps: {} }, null, 'open'],
  ['only what it was delivered with', card(keys('factory')), null, 'unless-shown'],
  ['a key of the issuer’s', card(keys('issuer')), null, 'stands'],
  ['a key that was only told', card(keys('issuer'), keys('factory')), null, 'unless-shown'],
  ['a key behind what was told', card(keys('factory'), keys('issuer')), null, 'stands'],
  ['a set of the factory’s', { apps: {}, domain: domain('factory') }, null, 'unless-shown'],
  ['a set of the issuer’s', { apps: {}, domain: domain('issuer') }, null, 'stands'],
  ['an account', { apps: {} }, '6212345678901234', 'stands'],
])('of a card that has %s', (_what, state, account, standing) => {
  expect(standingOf(state, TYPE, account)).toBe(standing);
});

it('a type that nobody knows any more stands', () => {
  expect(standingOf({ apps: {} }, undefined, null)).toBe('stands');
});

it('as one of another type it has that type’s set, and its authentications stay counted but for two', () => {
  const before = { ...card(keys('factory')), domain: { ...domain('factory'), spent: 200 } };
  const after = asOfType(before, TYPE);
  const { factoryKeys, maximumTries } = TYPE.securityDomain;
  expect(after.apps).toBe(before.apps);
  expect(after.domain).toMatchObject({
    candidates: [{ origin: 'factory', keyVersion: factoryKeys.keyVersion }],
    spent: maximumTries - 2,
  });
});

const TYPE = (() => {
  const found = openCatalogue(OWN_RESOURCES).profiles.find(({ id }) => id === 'demo-scp03');
  if (found?.securityDomain === undefined) throw new Error('no such type');
  return { ...found, securityDomain: found.securityDomain };
})();

function card(now: AppKeys, kept?: AppKeys): CardState {
  const known = { state: 'installed', instance: 1 } as const;
  const app = { ...known, loadFileHash: null, inDoubt: false, keys: now };
  return { apps: { 'e-wallet': kept === undefined ? app : { ...app, kept: { ...known, keys: kept } } } };
}

function keys(origin: KeyCandidate['origin']): AppKeys {
  return {
    mck: { candidates: [{ origin, version: 1, factor: '0123456789012345' }], spent: 0, refused: false },
  };
}

function domain(origin: KeyCandidate['origin']): DomainState {
  return { candidates: [{ origin, version: 1, keyVersion: 0x20, data: null }], spent: 0, leaving: null };
}
