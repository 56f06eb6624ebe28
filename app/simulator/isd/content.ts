/** What all card content management has in common: who may do it, and which privileges may be given. */
import type { CardImage } from '../image.ts';
import {
  CARD_STATE,
  domainOf,
  isPersonalized,
  PRIVILEGE,
  privilegesOf,
  type SecurityDomain,
} from '../registry.ts';
import { Refusal, SW } from '../status-words.ts';
import { ASSIGNABLE_TO_APPLICATIONS, ASSIGNABLE_TO_DOMAINS } from './card-data.ts';

/** Length of a receipt: none. */
export const RECEIPT_ABSENT: Uint8Array = Uint8Array.of(0x00);

/**
 * Content management is for domains with authorised management that are personalised (§9.3). Delegated management
 * needs tokens, and this card has no key to check one with.
 * @throws Refusal 6985
 */
export function requireManagement(domain: SecurityDomain): void {
  const may = (domain.privileges & PRIVILEGE.authorizedManagement) !== 0;
  if (!may || !isPersonalized(domain)) throw new Refusal(SW.conditions);
}

/** A token stands for an authorisation nobody asked for (§11.5.2.3). @throws Refusal 6A80 */
export function requireNoToken(token: Uint8Array | undefined): void {
  if (token === undefined || token.length > 0) throw new Refusal(SW.wrongData);
}

/** The domain a load file or application is to be associated with. @throws Refusal 6A88 not there, 6985 not ready */
export function receivingDomain(image: CardImage, aid: string): SecurityDomain {
  const domain = domainOf(image, aid);
  if (domain === undefined) throw new Refusal(SW.referenceNotFound);
  if (!isPersonalized(domain)) throw new Refusal(SW.conditions);
  return domain;
}

/**
 * Privileges of one or three bytes (§6.6.2, tables 11-7 to 11-9); one byte gives a domain the trusted path too.
 * @throws Refusal 6A80 on a wrong length, or what cannot go together or be given at all
 */
export function readPrivileges(bytes: Uint8Array | undefined, isDomain: boolean): number {
  if (bytes === undefined || (bytes.length !== 1 && bytes.length !== 3)) throw new Refusal(SW.wrongData);
  const [first = 0, second = isDomain ? PRIVILEGE.trustedPath >> 8 : 0, third = 0] = bytes;
  const wanted = (first << 16) | (second << 8) | third;
  if (isDomain !== ((wanted & PRIVILEGE.securityDomain) !== 0)) throw new Refusal(SW.wrongData);
  // Mandated DAP verification is coded with DAP verification's bit set too.
  if ((wanted & PRIVILEGE.mandatedDap) !== 0 && (wanted & PRIVILEGE.dapVerification) === 0)
    throw new Refusal(SW.wrongData);
  const may = isDomain ? ASSIGNABLE_TO_DOMAINS : ASSIGNABLE_TO_APPLICATIONS;
  if ((wanted & ~may) !== 0) throw new Refusal(SW.wrongData);
  return wanted;
}

/**
 * Card reset and final application are the issuer domain's to pass on, once (§6.6.2).
 * @throws Refusal 6985 when somebody else has it
 */
export function requireUnclaimed(image: CardImage, privileges: number, except?: string): void {
  for (const bit of [PRIVILEGE.cardReset, PRIVILEGE.finalApplication]) {
    if ((privileges & bit) === 0) continue;
    const taken = image.instances.some((entry) => entry.aid !== except && (privilegesOf(entry) & bit) !== 0);
    if (taken) throw new Refusal(SW.conditions);
  }
}

/** Whether the AID is taken by anything in the registry. */
export function isTaken({ domain, packages, instances }: CardImage, aid: string): boolean {
  return [domain, ...packages, ...instances].some((known) => known.aid === aid);
}

/** Card states in which the issuer may still move on (figure 5-1): from, to. */
export const CARD_TRANSITIONS: ReadonlyMap<number, readonly number[]> = new Map([
  [CARD_STATE.opReady, [CARD_STATE.initialized, CARD_STATE.secured, CARD_STATE.terminated]],
  [CARD_STATE.initialized, [CARD_STATE.secured, CARD_STATE.terminated]],
  [CARD_STATE.secured, [CARD_STATE.locked, CARD_STATE.terminated]],
  [CARD_STATE.locked, [CARD_STATE.secured, CARD_STATE.terminated]],
]);
