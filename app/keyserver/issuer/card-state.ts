/** What the server knows of one card's apps and its domain's keys. A value; the store reads and writes it whole. */
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import type { AppKeys } from '../../dialects/keys.ts';
import type { AppState } from '../../protocol/wire.ts';
import { type DomainState, factoryDomain } from './domain-keys.ts';
import type { Ground } from './ground-schema.ts';

export interface CardAppState {
  readonly state: AppState;
  readonly instance: number;
  readonly loadFileHash: string | null;
  /**
   * Hash of the load file whose package stands on the card whole and without an instance: the card itself has said so of every block, each answer with
   * its R-MAC. Absent where nothing proves it.
   */
  readonly loaded?: string;
  /** A load, an installation or a deletion may or may not have happened. */
  readonly inDoubt: boolean;
  /** What the card has, as far as its last job was told. Null when it has none. */
  readonly keys: AppKeys | null;
  /** What was known of it before a station said otherwise and nothing proved it. Absent while nobody did. */
  readonly kept?: KeptApp;
  /** What says that it is there, or is not. Absent: a station's word, of which nothing but its job tells. */
  readonly ground?: Ground;
}

/** The card may still have these keys, so they count wherever a version could be given up. */
export interface KeptApp {
  readonly state: AppState;
  readonly instance: number;
  readonly keys: AppKeys;
}

/** Something was said of the app's keys that nothing proves. */
export function isContested(app: CardAppState | undefined): boolean {
  return app !== undefined && app.keys !== null && app.kept !== undefined;
}

export interface CardState {
  readonly apps: Readonly<Record<string, CardAppState>>;
  /** Keys of the issuer security domain; absent while no job has used them: they are the factory's. */
  readonly domain?: DomainState;
}

/** Keys of the issuer security domain. @throws Error when the card's type has none. */
export function domainOf(card: CardState, profile: CardTypeProfile): DomainState {
  if (profile.securityDomain === undefined) throw new Error(`profile ${profile.id} has no security domain`);
  return card.domain ?? factoryDomain(profile.securityDomain);
}

export function withDomain(card: CardState, domain: DomainState): CardState {
  return { ...card, domain };
}

/** The card with `app` changed by `change`; an app never heard of starts as missing. */
export function withApp(
  card: CardState,
  app: string,
  change: (before: CardAppState) => CardAppState,
): CardState {
  return { ...card, apps: { ...card.apps, [app]: change(card.apps[app] ?? ABSENT) } };
}

/** Apps that are not on the card, but of which a torn load or deletion may have left the package. */
export function leftovers(card: CardState): string[] {
  return Object.entries(card.apps).flatMap(([app, one]) =>
    one.inDoubt && one.state === 'missing' ? [app] : [],
  );
}

const ABSENT: CardAppState = {
  state: 'missing',
  instance: 0,
  loadFileHash: null,
  inDoubt: false,
  keys: null,
};
