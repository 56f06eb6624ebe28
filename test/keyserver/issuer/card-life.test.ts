/** The life of a card: every state with every event, and where it stands by what is on record. */
import { expect, it } from 'vitest';
import type { KeyCandidate, KeySlotState } from '../../../app/dialects/key-slots.ts';
import { after, type CardLife, isIssued, lifeOf, reasonOf } from '../../../app/keyserver/issuer/card-life.ts';
import type { CardState } from '../../../app/keyserver/issuer/card-state.ts';
import { OWN_RESOURCES, openCatalogue } from '../../../app/keyserver/resources.ts';
import type { SetAside } from '../../../app/protocol/set-aside.ts';

const DAMAGED: SetAside = { code: 'key-damaged', app: 'e-wallet' };
const DIFFER: SetAside = { code: 'domain-keys-differ' };

const NEW = { life: 'new' } as const;
const ISSUED = { life: 'issued' } as const;
const aside = (otherwise: typeof NEW | typeof ISSUED): CardLife => ({
  life: 'set-aside',
  reason: DAMAGED,
  otherwise,
});

it.each<[string, CardLife, Record<keyof typeof EVENTS, CardLife>]>([
  [
    'new',
    NEW,
    {
      'an app is the issuer’s': ISSUED,
      'no app is': NEW,
      'set aside': { life: 'set-aside', reason: DIFFER, otherwise: NEW },
      released: NEW,
    },
  ],
  [
    'issued',
    ISSUED,
    {
      'an app is the issuer’s': ISSUED,
      'no app is': NEW,
      'set aside': { life: 'set-aside', reason: DIFFER, otherwise: ISSUED },
      released: ISSUED,
    },
  ],
  [
    'set aside when it was new',
    aside(NEW),
    {
      'an app is the issuer’s': aside(ISSUED),
      'no app is': aside(NEW),
      'set aside': aside(NEW),
      released: NEW,
    },
  ],
  [
    'set aside when it was issued',
    aside(ISSUED),
    {
      'an app is the issuer’s': aside(ISSUED),
      'no app is': aside(NEW),
      'set aside': aside(ISSUED),
      released: ISSUED,
    },
  ],
])('a card that is %s, at every event', (_what, life, then) => {
  for (const [name, event] of Object.entries(EVENTS))
    expect([name, after(life, event)]).toEqual([
      name,
      Object.entries(then).find(([one]) => one === name)?.[1],
    ]);
});

const key = (origin: 'factory' | 'issuer', version: number): KeyCandidate => ({
  origin,
  version,
  factor: '0123456789012345',
});
const slot = (...candidates: KeyCandidate[]): KeySlotState => ({ candidates, spent: 0, refused: false });
const ISSUERS = slot(key('issuer', 1));
const DOUBTFUL = slot(key('issuer', 1), key('factory', 1));
const FACTORY = slot(key('factory', 1));

const card = (
  state: 'enabled' | 'installed',
  mck?: KeySlotState,
  mtk: KeySlotState = ISSUERS,
): CardState => ({
  apps: {
    'e-wallet': {
      state,
      instance: 1,
      loadFileHash: null,
      inDoubt: false,
      keys: mck === undefined ? { mtk } : { mck, mtk },
    },
  },
});

it.each([
  ['enabled under the issuer’s key', card('enabled', ISSUERS), true],
  [
    'enabled, while it is moved from one version to the next',
    card('enabled', slot(key('issuer', 2), key('issuer', 1))),
    true,
  ],
  ['enabled, and only its maintenance key is in doubt', card('enabled', ISSUERS, DOUBTFUL), true],
  ['enabled, and it is not certain whether the issuer’s key is there', card('enabled', DOUBTFUL), false],
  ['enabled under the manufacturer’s key', card('enabled', FACTORY), false],
  ['enabled, and its master control key is not on record', card('enabled'), false],
  ['not enabled', card('installed', ISSUERS), false],
])('an app that is %s: issued or not', (_what, state, issued) => {
  const profile = openCatalogue(OWN_RESOURCES).profiles.find(({ id }) => id === 'demo-scp03');
  expect(profile?.apps['e-wallet']?.issuing?.keys.issuedBy).toBe('mck');
  expect(isIssued(lifeOf(state, profile, null))).toBe(issued);
  const setAside = lifeOf(state, profile, DAMAGED);
  expect([isIssued(setAside), reasonOf(setAside)]).toEqual([issued, DAMAGED]);
});

it('of a type that is gone a card is issued when all keys of an enabled app are the issuer’s', () => {
  expect(isIssued(lifeOf(card('enabled', ISSUERS), undefined, null))).toBe(true);
  expect(isIssued(lifeOf(card('enabled', ISSUERS, DOUBTFUL), undefined, null))).toBe(false);
});

const EVENTS = {
  'an app is the issuer’s': { kind: 'apps', issued: true },
  'no app is': { kind: 'apps', issued: false },
  'set aside': { kind: 'set-aside', reason: DIFFER },
  released: { kind: 'released' },
} as const;
