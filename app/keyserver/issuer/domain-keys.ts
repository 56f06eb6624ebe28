/**
 * What the server knows of the keys of one card's issuer security domain: which set is on it, the factory's or the issuer's own,
 * and how many authentications were spent. The three keys of a set change together, so they are one slot (design §5). Pure.
 */
import { z } from 'zod';
import type { CardTypeProfile } from '../../catalogue/schema.ts';

/** One set of keys that may be on the card: whose masters in which version, under which key version number. */
export const domainKeySetSchema = z.strictObject({
  origin: z.enum(['factory', 'issuer']),
  /** Version of the three master keys. */
  version: z.number().int().min(1),
  /** Key version number on the card. */
  keyVersion: z.number().int().min(1).max(255),
  /** The 10 bytes that the card gave to diversify it with; null where they are not needed, or not known yet. */
  data: z
    .string()
    .regex(/^[0-9A-F]{20}$/)
    .nullable(),
});
export type DomainKeySet = z.infer<typeof domainKeySetSchema>;

export interface DomainState {
  /** Newest first; one when settled, two while a change may or may not have happened. */
  readonly candidates: readonly DomainKeySet[];
  /** EXTERNAL AUTHENTICATEs sent since the last success. */
  readonly spent: number;
  /** The set that the issuer's own took the place of, while something of that move is still to be done; else null. */
  readonly leaving: DomainKeySet | null;
  /** Two people allowed one authentication that may be the last; used up when one is sent. */
  readonly granted?: 'last';
}

type Domain = NonNullable<CardTypeProfile['securityDomain']>;

/** The domain of a card fresh from the factory. */
export function factoryDomain(domain: Domain): DomainState {
  const { version, keyVersion } = domain.factoryKeys;
  return { candidates: [{ origin: 'factory', version, keyVersion, data: null }], spent: 0, leaving: null };
}

/** The same set, whatever is known of its diversification data. */
export function sameSet(a: DomainKeySet, b: DomainKeySet): boolean {
  return a.origin === b.origin && a.version === b.version && a.keyVersion === b.keyVersion;
}

/** The one set on the card; undefined while in doubt. */
export function certainSet(state: DomainState): DomainKeySet | undefined {
  return state.candidates.length === 1 ? state.candidates[0] : undefined;
}

/** Whether nothing of a move to `target` is left to be done. */
export function isMoved(state: DomainState, target: DomainKeySet): boolean {
  const certain = certainSet(state);
  return certain !== undefined && sameSet(certain, target) && state.leaving === null;
}

/**
 * What a move goes to. One that was begun is finished first, because a set in doubt may be written again only with the keys it was being
 * changed to, and what it leaves behind must go before the next. `version`: of the issuer's masters that a new move takes.
 */
export function moveTarget(domain: Domain, state: DomainState, version: number): DomainKeySet | undefined {
  if (domain.issuerKeys === undefined) return undefined;
  const [newest, other] = state.candidates;
  const begun = other !== undefined || state.leaving !== null;
  if (newest?.origin === 'issuer' && (begun || newest.version === version)) return newest;
  return {
    origin: 'issuer',
    version,
    keyVersion: freeNumber(domain, domain.issuerKeys.keyVersion, state),
    data: null,
  };
}

/**
 * A key version number for a new set: the profile's, or where the card has that one already the next, because replacing under one number
 * cannot be told from not replacing. Never the factory's.
 */
function freeNumber(domain: Domain, first: number, state: DomainState): number {
  const taken = [domain.factoryKeys.keyVersion, ...state.candidates.map((set) => set.keyVersion)];
  const numbers = [first, first + 1, first + 2, first + 3, first - 1, first - 2, first - 3];
  return numbers.find((one) => one >= 0x01 && one <= 0x7f && !taken.includes(one)) ?? first;
}

/** A set with diversification data; those that it has already stay, because they are never taken again from an answer. */
export function withData(set: DomainKeySet, data: string): DomainKeySet {
  return set.data === null ? { ...set, data } : set;
}

/** The card gave the cryptogram of `set`: it is the one there, and a move away from it did not happen. */
export function provenSet(state: DomainState, set: DomainKeySet): DomainState {
  const { leaving } = state;
  return {
    ...state,
    candidates: [set],
    leaving: leaving !== null && sameSet(leaving, set) ? null : leaving,
  };
}

/** Before PUT KEY leaves: both sets are possible from now on, and the old one is to be left. */
export function intendMove(state: DomainState, from: DomainKeySet, to: DomainKeySet): DomainState {
  return { ...state, candidates: [to, from], leaving: from };
}

/** The card confirmed the new set. */
export function moveDone(state: DomainState, to: DomainKeySet): DomainState {
  return { ...state, candidates: [known(state, to)] };
}

/** PUT KEY certainly did not happen. */
export function moveUndone(state: DomainState, from: DomainKeySet): DomainState {
  return { ...state, candidates: [known(state, from)], leaving: null };
}

/** The set as the record has it: its data are those that the card itself has shown. */
function known({ candidates }: DomainState, set: DomainKeySet): DomainKeySet {
  return candidates.find((one) => sameSet(one, set)) ?? set;
}

/** The card has shown its diversification data in a channel that it opened. */
export function withShownData(state: DomainState, data: string): DomainState {
  return { ...state, candidates: state.candidates.map((set) => withData(set, data)) };
}

/** An authentication is spent before it is sent; no answer counts as failed. */
export function spendAuthentication({ granted: _used, ...state }: DomainState): DomainState {
  return { ...state, spent: state.spent + 1 };
}

/** It never reached the card. */
export function returnAuthentication(state: DomainState): DomainState {
  return { ...state, spent: Math.max(0, state.spent - 1) };
}

/** The card took it: its count starts again. */
export function authenticated(state: DomainState): DomainState {
  return { ...state, spent: 0 };
}

/** Whether failing once more may lock the domain for good. (The card cryptogram is compared before, so it should not fail.) */
export function mayBeLast({ spent }: Pick<DomainState, 'spent'>, maximum: number): boolean {
  return maximum - spent - 1 < 1;
}

export function mayAuthenticate(state: DomainState, maximum: number): boolean {
  return !mayBeLast(state, maximum) || state.granted === 'last';
}
