/** What all card content management has in common: who may do it, and which privileges may be given. */
import type { CommandApdu } from '../../card/apdu.ts';
import { concat } from '../../card/bytes.ts';
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
import type { Turn } from '../turn.ts';
import { requireSince22 } from './before-22.ts';
import { ASSIGNABLE_TO_APPLICATIONS, ASSIGNABLE_TO_DOMAINS } from './card-data.ts';
import { readFields } from './fields.ts';
import { isSigned, SIGNATURE_KEY } from './signature.ts';

/** Content management is for personalised domains that were given it (§9.3). @throws Refusal 6985 */
export function requireManagement(domain: SecurityDomain): void {
  const may = PRIVILEGE.authorizedManagement | PRIVILEGE.delegatedManagement;
  if ((domain.privileges & may) === 0 || !isPersonalized(domain)) throw new Refusal(SW.conditions);
}

/** What a token stands for: P1 and P2 of a command, and its data without the token. */
interface Authorised {
  readonly command: Pick<CommandApdu, 'p1' | 'p2'>;
  readonly data: Uint8Array;
  readonly token: Uint8Array;
}

/**
 * A domain with delegated management needs the issuer's token for what it does (§9.1.3.3, §C.4); one with authorised
 * management may not bring any.
 * @throws Refusal 6985 without a token, 6A80 for one that nobody asked for or that is wrong
 */
export function requireToken(
  image: CardImage,
  domain: SecurityDomain,
  { command, data, token }: Authorised,
): void {
  const isDelegated = (domain.privileges & PRIVILEGE.delegatedManagement) !== 0;
  if (!isDelegated) {
    if (token.length > 0) throw new Refusal(SW.wrongData);
    return;
  }
  if (token.length === 0) throw new Refusal(SW.conditions);
  const length = data.length > 0xff ? [0, data.length >> 8, data.length & 0xff] : [data.length];
  const message = concat(Uint8Array.of(command.p1, command.p2, ...length), data);
  if (!isSigned(image.domain, SIGNATURE_KEY.token, message, token)) throw new Refusal(SW.wrongData);
}

/** The fields of an INSTALL, the last of which is a token, checked. @throws Refusal */
export function installFields(
  { image }: Turn,
  domain: SecurityDomain,
  command: CommandApdu,
  count: number,
): Uint8Array[] {
  requireManagement(domain);
  const fields = readFields(command.data, count);
  const token = fields[count - 1] ?? new Uint8Array(0);
  const whole = command.data ?? new Uint8Array(0);
  const header = whole.length - token.length;
  // Length bytes stand before the token: 00, or what a signature's length takes.
  const lengthBytes = token.length > 0xff ? 3 : token.length > 0x80 || whole[header - 2] === 0x81 ? 2 : 1;
  const data = whole.slice(0, header - (token.length > 0x7f ? lengthBytes : 1));
  requireToken(image, domain, { command, data, token });
  return fields;
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
export function readPrivileges(image: CardImage, bytes: Uint8Array | undefined, isDomain: boolean): number {
  if (bytes === undefined || (bytes.length !== 1 && bytes.length !== 3)) throw new Refusal(SW.wrongData);
  // The second and third byte came with 2.2.
  if (bytes.length === 3) requireSince22(image, SW.wrongData);
  const [first = 0, second = isDomain ? PRIVILEGE.trustedPath >> 8 : 0, third = 0] = bytes;
  const wanted = (first << 16) | (second << 8) | third;
  if (isDomain !== ((wanted & PRIVILEGE.securityDomain) !== 0)) throw new Refusal(SW.wrongData);
  // Mandated DAP verification is coded with DAP verification's bit set too.
  if ((wanted & PRIVILEGE.mandatedDap) !== 0 && (wanted & PRIVILEGE.dapVerification) === 0)
    throw new Refusal(SW.wrongData);
  const both = PRIVILEGE.authorizedManagement | PRIVILEGE.delegatedManagement;
  if ((wanted & both) === both) throw new Refusal(SW.wrongData);
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
