/**
 * What people give back to a card's keys. Nobody can give back a try that the card may have counted, so the counts stay: what is given is a
 * refusal taken back, and one attempt where the count alone allows none. Pure.
 */
import { type CardTypeProfile, RESERVED_APP_ID } from '../../catalogue/schema.ts';
import { type AppKeyRules, issuingOf } from '../../dialects/dialect.ts';
import { type KeySlotState, nextTry } from '../../dialects/key-slots.ts';
import { type AppKeys, ungranted } from '../../dialects/keys.ts';
import { findRule } from './app-work.ts';
import type { CardAppState, CardState } from './card-state.ts';
import { type DomainState, mayBeLast } from './domain-keys.ts';

/** A key of an app, or of the card's security domain (`isd`), whose next attempt may be the last one. */
export interface LastTry {
  readonly app: string;
  readonly slot: string;
  /** Two people have allowed it. */
  readonly granted: boolean;
}

/** What was known of a slot whose tries were spent, or whose right key the card refused. */
interface SpentSlot {
  readonly app: string;
  readonly slot: string;
  readonly spent: number;
  readonly told: number;
  readonly refused: boolean;
}

/** What a release comes to. */
interface ReleasedCard {
  /** The same value where nothing was given. */
  readonly card: CardState;
  readonly lastTries: readonly LastTry[];
  /** Whether an attempt is allowed to the card only when it shows itself. */
  readonly keptForShown: boolean;
}

/** `whoever`: two people, and besides, what is allowed to cards that show themselves is allowed to one that does not. */
type People = 'one' | 'two' | 'whoever';

/**
 * Takes refusals back, and allows one attempt more where its failing leaves a try; one that may be the last only for two people. What is allowed to
 * cards that show themselves stays so: allowed to every card, a station that only names this one uses it up. Where two people have nothing else
 * to give, they allow it to a card that cannot show itself. A key that is written anew before it is used stays refused, so that this happens: a new
 * key does not start the card's count of wrong MACs again. Nothing changes of an app whose rule is not known here: nobody can say what another try would do.
 */
export function released(
  card: CardState,
  profile: CardTypeProfile | undefined,
  people: 'one' | 'two',
): ReleasedCard {
  const given = releasedBy(card, profile, people);
  return given.card === card && people === 'two' ? releasedBy(card, profile, 'whoever') : given;
}

function releasedBy(card: CardState, profile: CardTypeProfile | undefined, people: People): ReleasedCard {
  const lastTries: LastTry[] = [];
  const apps = Object.entries(card.apps).map(([app, known]): [string, CardAppState] => {
    const rule = profile && findRule({ profile }, app);
    if (rule === undefined || known.keys === null) return [app, known];
    const { keys: rules } = issuingOf(rule);
    const keys = releasedKeys(known.keys, rules, people);
    for (const [slot, state] of Object.entries(keys))
      if (nextTry(state, rules.tries(slot)) === 'last')
        lastTries.push({ app, slot, granted: state.granted === 'last' });
    const now = keys === known.keys ? known : { ...known, keys };
    if (known.kept === undefined) return [app, now];
    // What was known before a station said otherwise comes back when the card has shown itself: its refusals would, too.
    const kept = releasedKeys(known.kept.keys, rules, people);
    return [app, kept === known.kept.keys ? now : { ...now, kept: { ...known.kept, keys: kept } }];
  });
  const domain = card.domain && releasedDomain(card.domain, profile, people);
  const most = profile?.securityDomain?.maximumTries;
  if (domain !== undefined && most !== undefined && mayBeLast(domain, most))
    lastTries.push({ app: RESERVED_APP_ID, slot: 'set', granted: domain.granted === 'last' });
  const same = domain === card.domain && apps.every(([app, state]) => state === card.apps[app]);
  const after = { apps: Object.fromEntries(apps), ...(domain === undefined ? {} : { domain }) };
  const keptForShown = Object.values(after.apps).some(({ keys, kept }) =>
    [keys, kept?.keys].some((own) => Object.values(own ?? {}).some(({ granted }) => granted === 'shown')),
  );
  return { card: same ? card : after, lastTries, keptForShown };
}

function releasedKeys(keys: AppKeys, rules: AppKeyRules, people: People): AppKeys {
  const slots = Object.entries(keys).map(
    ([role, slot]) => [role, releasedSlot(slot, role, rules, people)] as const,
  );
  return slots.every(([role, slot]) => slot === keys[role]) ? keys : Object.fromEntries(slots);
}

function releasedSlot(
  slot: KeySlotState,
  role: string,
  { tries, rewritten }: AppKeyRules,
  people: People,
): KeySlotState {
  const refused = slot.refused && rewritten.includes(role);
  const tried = refused === slot.refused ? slot : { ...slot, refused };
  switch (nextTry(slot, tries(role))) {
    case 'free':
      return tried;
    case 'spare':
      return slot.granted === undefined || (slot.granted === 'shown' && people === 'whoever')
        ? { ...tried, granted: 'spare' }
        : tried;
    case 'last':
      // Without the attempt a refusal that is taken back gives nothing but another error.
      if (people === 'one') return slot;
      return slot.granted === 'last' ? tried : { ...tried, granted: 'last' };
    case 'locked':
      return slot;
  }
}

function releasedDomain(
  domain: DomainState,
  profile: CardTypeProfile | undefined,
  people: People,
): DomainState {
  const most = profile?.securityDomain?.maximumTries;
  if (most === undefined || people === 'one' || !mayBeLast(domain, most) || domain.granted === 'last')
    return domain;
  return { ...domain, granted: 'last' };
}

/** For the audit. */
export function spentSlots({ apps, domain }: CardState): SpentSlot[] {
  const slots = Object.entries(apps).flatMap(([app, { keys }]) =>
    Object.entries(keys ?? {}).map(([slot, { spent, told = 0, refused }]) => ({
      app,
      slot,
      spent,
      told,
      refused,
    })),
  );
  const sets =
    domain === undefined
      ? []
      : [{ app: RESERVED_APP_ID, slot: 'set', spent: domain.spent, told: 0, refused: false }];
  return [...slots, ...sets].filter(({ spent, refused }) => spent > 0 || refused);
}

/** The card without what people allowed: a state of before may have been used up since, and nobody would know. */
export function withoutGrants({ apps, domain }: CardState): CardState {
  const bare = Object.entries(apps).map(([app, known]): [string, CardAppState] => {
    const one = { ...known, keys: known.keys && ungranted(known.keys) };
    return [
      app,
      one.kept === undefined ? one : { ...one, kept: { ...one.kept, keys: ungranted(one.kept.keys) } },
    ];
  });
  const card = { apps: Object.fromEntries(bare) };
  if (domain === undefined) return card;
  const { granted: _used, ...keys } = domain;
  return { ...card, domain: keys };
}
