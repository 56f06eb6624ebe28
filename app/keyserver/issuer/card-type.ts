/**
 * Of which type a card is, a station tells like everything else that it reads without keys: whoever names a card first could else keep it from all
 * others, by telling another type. What stands is the type of which something is known that is more than what was told. Pure.
 */
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import type { CardAppState, CardState } from './card-state.ts';
import { type DomainState, factoryDomain } from './domain-keys.ts';

/**
 * Whether the type on record stands against another that a station tells. `open`: it was only told, too. `unless-shown`: it was, unless the card has
 * shown itself in a job. `stands`: the card may have keys of the issuer's, an account, or is of a type that nobody knows any more.
 */
export function standingOf(
  card: CardState,
  type: CardTypeProfile | undefined,
  account: string | null,
): 'open' | 'unless-shown' | 'stands' {
  const apps = Object.values(card.apps);
  if (account !== null || type === undefined) return 'stands';
  if (apps.some(hasIssuers) || hasIssuersSet(card.domain)) return 'stands';
  return apps.length === 0 && card.domain === undefined ? 'open' : 'unless-shown';
}

/** What was known of the app before somebody only said otherwise. */
function hasIssuers({ keys, kept }: CardAppState): boolean {
  const known = kept?.keys ?? keys ?? {};
  return Object.values(known).some(({ candidates }) => candidates.some(({ origin }) => origin === 'issuer'));
}

function hasIssuersSet(domain: DomainState | undefined): boolean {
  return domain?.candidates.some(({ origin }) => origin === 'issuer') === true;
}

/**
 * The card as one of another type: its domain is the factory's of that type. Authentications stay counted, but for the last two tries: they may all
 * have been told.
 */
export function asOfType(card: CardState, { securityDomain }: CardTypeProfile): CardState {
  if (card.domain === undefined || securityDomain === undefined) return card;
  const spent = Math.min(card.domain.spent, Math.max(0, securityDomain.maximumTries - 2));
  return { ...card, domain: { ...factoryDomain(securityDomain), spent } };
}
