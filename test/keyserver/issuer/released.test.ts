/** What people's release makes of an attempt that is allowed only to a card that shows itself. */
import { expect, it } from 'vitest';
import type { KeySlotState } from '../../../app/dialects/key-slots.ts';
import type { CardState } from '../../../app/keyserver/issuer/card-state.ts';
import { released } from '../../../app/keyserver/issuer/released.ts';
import { OWN_RESOURCES, openCatalogue } from '../../../app/keyserver/resources.ts';

it('one person leaves it so, and has nothing to give', () => {
  const card = cardWith({ mck: KEPT });
  expect(released(card, TYPE, 'one')).toEqual({ card, lastTries: [], keptForShown: true });
});

it('two people with a last try to give leave it so', () => {
  const { card, keptForShown } = released(cardWith({ mck: KEPT }, { mck: LAST }), TYPE, 'two');
  expect(grants(card)).toEqual(['shown', 'last']);
  expect(keptForShown).toBe(true);
});

it('two people who have nothing else to give allow it to a card that cannot show itself', () => {
  const { card, keptForShown } = released(cardWith({ mck: KEPT }), TYPE, 'two');
  expect(grants(card)).toEqual(['spare']);
  expect(keptForShown).toBe(false);
  expect(released(card, TYPE, 'two').card).toBe(card);
});

it('it is found among the keys of before, too', () => {
  const app = { ...appWith({ mck: FREE }), kept: { state: 'installed', instance: 1, keys: { mck: KEPT } } };
  const card: CardState = { apps: { 'e-wallet': { ...app, kept: { ...app.kept, state: 'installed' } } } };
  expect(released(card, TYPE, 'one').keptForShown).toBe(true);
  expect(released(card, TYPE, 'two').card.apps['e-wallet']?.kept?.keys['mck']?.granted).toBe('spare');
});

const TYPE = openCatalogue(OWN_RESOURCES).profiles.find(({ id }) => id === 'demo-scp03');

const key = (version: number) => ({ origin: 'issuer', version, factor: '0123456789012345' }) as const;
const FREE: KeySlotState = { candidates: [key(1)], spent: 0, refused: false };
const KEPT: KeySlotState = { candidates: [key(2), key(1)], spent: 1, refused: false, granted: 'shown' };
const LAST: KeySlotState = { candidates: [key(1)], spent: 2, refused: false };

function appWith(keys: Readonly<Record<string, KeySlotState>>) {
  return { state: 'installed', instance: 1, loadFileHash: null, inDoubt: false, keys } as const;
}

function cardWith(
  wallet: Readonly<Record<string, KeySlotState>>,
  identity?: Readonly<Record<string, KeySlotState>>,
): CardState {
  const apps = { 'e-wallet': appWith(wallet) };
  return { apps: identity === undefined ? apps : { ...apps, identity: appWith(identity) } };
}

function grants({ apps }: CardState) {
  return Object.values(apps).flatMap(({ keys }) => Object.values(keys ?? {}).map(({ granted }) => granted));
}
