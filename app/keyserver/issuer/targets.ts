/** What new key writes put onto a card. Pure. */
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import type { KeyCandidate } from '../../dialects/key-slots.ts';
import {
  appKeyPurpose,
  type CardCodes,
  type FactorKind,
  factorFor,
  type KeyTargets,
} from '../../dialects/keys.ts';
import { KaikaError } from '../../protocol/errors.ts';
import type { JobRequest } from '../../protocol/wire.ts';
import { type CardState, domainOf } from './card-state.ts';
import { certainSet, type DomainKeySet, isMoved, moveTarget, sameSet } from './domain-keys.ts';
import { speaksAgainstMove } from './key-replacement.ts';

/** The issuer's own master key that new writes use: its version, and what is fixed with it. */
export interface ActiveKey {
  readonly version: number;
  /** What an app's keys of it are diversified by; null for a security domain's, of which the profile says it. */
  readonly factor: FactorKind | null;
}

/** Which that is for a purpose. @throws KaikaError `hsm-key-missing` */
export type ActiveVersion = (purpose: string) => ActiveKey;

/** The keys that an app is to have, by role. @throws KaikaError `hsm-key-missing` */
export function targetsOf(
  app: string,
  roles: readonly string[],
  codes: CardCodes,
  activeVersion: ActiveVersion,
): KeyTargets {
  const key = (role: string): KeyCandidate => {
    const purpose = appKeyPurpose(app, role);
    const { version, factor } = activeVersion(purpose);
    if (factor === null) throw new Error(`nothing says what ${purpose} is diversified by`);
    const key = { origin: 'issuer', version, factor: factorFor(factor, codes) } as const;
    return factor === 'card' ? { ...key, account: codes.account } : key;
  };
  return Object.fromEntries(roles.map((role) => [role, key(role)]));
}

/** The same; undefined while one of them has no active version: an app that nobody asked for keeps what it has. */
export function targetsIfActive(...asked: Parameters<typeof targetsOf>): KeyTargets | undefined {
  try {
    return targetsOf(...asked);
  } catch (error) {
    if (error instanceof KaikaError && error.code === 'hsm-key-missing') return undefined;
    throw error;
  }
}

/** What issuing moves the domain's keys to; null where the profile does not ask for it. */
export function domainTarget(
  profile: CardTypeProfile,
  card: CardState,
  activeVersion: ActiveVersion,
): DomainKeySet | null {
  const domain = profile.securityDomain;
  if (domain?.issuerKeys?.atIssuing !== true) return null;
  const versions = ['enc', 'mac', 'dek'].map((key) => activeVersion(`isd/${profile.id}/${key}`).version);
  return moveTarget(domain, domainOf(card, profile), Math.min(...versions)) ?? null;
}

/** Whether issuing moves this card to other domain keys, or has to finish a move of which the keys are done. */
export function domainKeysToDo(
  profile: CardTypeProfile,
  card: CardState,
  activeVersion: ActiveVersion,
): 'all' | 'rest' | undefined {
  const target = domainTarget(profile, card, activeVersion);
  if (target === null) return undefined;
  const state = domainOf(card, profile);
  if (isMoved(state, target)) return undefined;
  const certain = certainSet(state);
  return certain !== undefined && sameSet(certain, target) ? 'rest' : 'all';
}

/** @throws KaikaError `wrong-card-type` when the card itself says that its keys cannot be changed as its type has it. */
export function refuseMove(
  profile: CardTypeProfile,
  card: CardState,
  request: Pick<JobRequest, 'card'>,
  activeVersion: ActiveVersion,
): void {
  const { securityDomain: domain } = profile;
  const from = certainSet(domainOf(card, profile));
  // A move that was begun is settled by the card in a channel.
  if (domain === undefined || from === undefined) return;
  const to = domainTarget(profile, card, activeVersion);
  const reason = to === null ? undefined : speaksAgainstMove(domain, from, to, request.card.keyInformation);
  if (reason !== undefined) throw new KaikaError('wrong-card-type', reason);
}
