/** The GlobalPlatform registry (GPC 2.3.1 §6.5, §6.6, §7.2): who is on the card, under whom, and what each may do. */
import type { CardImage, DomainState, Instance } from './image.ts';

/** Privileges as bits of their three bytes (tables 11-7 to 11-9). */
export const PRIVILEGE = {
  securityDomain: 0x800000,
  dapVerification: 0x400000,
  delegatedManagement: 0x200000,
  cardLock: 0x100000,
  cardTerminate: 0x080000,
  cardReset: 0x040000,
  mandatedDap: 0x010000,
  trustedPath: 0x008000,
  authorizedManagement: 0x004000,
  tokenVerification: 0x002000,
  globalDelete: 0x001000,
  globalLock: 0x000800,
  globalRegistry: 0x000400,
  finalApplication: 0x000200,
  receiptGeneration: 0x000080,
  cipheredLoad: 0x000040,
} as const;

/** What the issuer security domain has on a fresh card (§6.6.2). */
const ISSUER_PRIVILEGES = 0x9efe80;
/** Held by one application at a time, and by the issuer security domain when nobody else has them. */
const SINGLE = [PRIVILEGE.cardReset, PRIVILEGE.finalApplication] as const;

/** Card life cycle (table 11-6). */
export const CARD_STATE = {
  opReady: 0x01,
  initialized: 0x07,
  secured: 0x0f,
  locked: 0x7f,
  terminated: 0xff,
} as const;

/** Life cycle of a supplementary security domain with keys of its own (table 11-5). */
export const PERSONALIZED = 0x0f;

/** A security domain, the issuer's or a supplementary one. */
export interface SecurityDomain {
  readonly aid: string;
  readonly isIssuer: boolean;
  readonly state: DomainState;
  readonly privileges: number;
  /** Its registry entry; the issuer's has none of its own. */
  readonly entry: Instance | undefined;
}

/** Privileges of an entry, three bytes as one number. */
export function privilegesOf(entry: Pick<Instance, 'privileges'>): number {
  return Number.parseInt(entry.privileges, 16);
}

/** Privileges the issuer security domain has now. */
export function issuerPrivileges(image: CardImage): number {
  const taken = SINGLE.filter((bit) => image.instances.some((entry) => (privilegesOf(entry) & bit) !== 0));
  return taken.reduce((left, bit) => left & ~bit, ISSUER_PRIVILEGES);
}

/** The security domain with this AID; undefined when there is none. */
export function domainOf(image: CardImage, aid: string): SecurityDomain | undefined {
  if (aid === image.domain.aid)
    return {
      aid,
      isIssuer: true,
      state: image.domain,
      privileges: issuerPrivileges(image),
      entry: undefined,
    };
  const entry = image.instances.find((instance) => instance.aid === aid);
  if (entry?.applet.kind !== 'domain') return undefined;
  return { aid, isIssuer: false, state: entry.applet, privileges: privilegesOf(entry), entry };
}

/** AID of the security domain an application or load file is associated with. */
export function associatedWith(image: CardImage, entry: { readonly domain?: string | undefined }): string {
  return entry.domain ?? image.domain.aid;
}

/** Domains from `aid` up: itself, the one it is associated with, and so on to the root of its hierarchy. */
export function hierarchyOf(image: CardImage, aid: string): string[] {
  const above: string[] = [];
  let at: string | undefined = aid;
  while (at !== undefined && !above.includes(at)) {
    above.push(at);
    const entry: Instance | undefined = image.instances.find((instance) => instance.aid === at);
    at = entry === undefined ? undefined : associatedWith(image, entry);
  }
  return above;
}

/** Whether `entry` is associated, directly or indirectly, with the domain `above`. */
export function isBelow(
  image: CardImage,
  entry: { readonly domain?: string | undefined },
  above: string,
): boolean {
  return hierarchyOf(image, associatedWith(image, entry)).includes(above);
}

/** Whether applications and load files may be associated with `domain` (§5.3.2.3). */
export function isPersonalized(domain: SecurityDomain): boolean {
  return domain.entry === undefined || domain.entry.lifecycle === PERSONALIZED;
}

/** Whether the application can be selected: not merely installed, not locked. */
export function isSelectable({ lifecycle }: Pick<Instance, 'lifecycle'>): boolean {
  return (lifecycle & 0x80) === 0 && (lifecycle & 0x07) === 0x07;
}

/** The application that alone is selected on a locked or terminated card. */
export function finalApplication(image: CardImage): string {
  return holderOf(image, PRIVILEGE.finalApplication)?.aid ?? image.domain.aid;
}

/** The application selected after reset (§6.4.2.1.1). */
export function implicitlySelected(image: CardImage): string {
  const { lifecycle, aid } = image.domain;
  if (lifecycle === CARD_STATE.locked || lifecycle === CARD_STATE.terminated) return finalApplication(image);
  const holder = holderOf(image, PRIVILEGE.cardReset);
  if (holder === undefined) return aid;
  return isSelectable(holder) ? holder.aid : finalApplication(image);
}

function holderOf(image: CardImage, privilege: number): Instance | undefined {
  return image.instances.find((entry) => (privilegesOf(entry) & privilege) !== 0);
}

/** Three bytes as 6 digits. */
export function privilegeText(privileges: number): string {
  return privileges.toString(16).toUpperCase().padStart(6, '0');
}
