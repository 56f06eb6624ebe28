/** Which card this is, from what the key-less look read. */
import { fromHex, toHex } from '../card/bytes.ts';
import { findTlv } from '../card/tlv.ts';
import { type CardData, parseCardData } from '../globalplatform/card-data.ts';
import { parseProductionLifeCycle } from '../globalplatform/cplc.ts';
import { accountSchema, type CardFacts } from '../protocol/wire.ts';
import { CPLC_FIELDS } from './card-type-schema.ts';
import { readIdentification } from './identification.ts';
import type { CardTypeProfile, Catalogue } from './schema.ts';

/** Tags of GET DATA that the look asks for, and the field of CardFacts each goes to (GPC 2.3.1 §11.3). */
export const LOOK_TAGS = {
  cplc: 0x9f7f,
  iin: 0x0042,
  cin: 0x0045,
  cardData: 0x0066,
  keyInformation: 0x00e0,
  diversificationData: 0x00cf,
  sequenceCounter: 0x00c1,
  resources: 0xff21,
} as const;

export type LookObject = keyof typeof LOOK_TAGS;

/**
 * The objects that staff wait for: what decides the type and code of a card with this ATR, and its free memory. The others are for
 * the server.
 */
export function decidingObjects(catalogue: Catalogue, atr: string): LookObject[] {
  const candidates = catalogue.profiles.filter((profile) => mayBe(profile, atr));
  const wanted = new Set<LookObject>(['resources']);
  for (const { recognise: by, identification, securityDomain } of candidates) {
    if (by.cplc !== undefined || identification.source === 'cplc') wanted.add('cplc');
    if (by.iin !== undefined) wanted.add('iin');
    if (by.cardData !== undefined || securityDomain?.announced === true) wanted.add('cardData');
    if (identification.source === 'cin') wanted.add('cin');
  }
  return LOOK_OBJECTS.filter((name) => wanted.has(name));
}

/** The objects that nobody at the counter waits for: the server wants them. The sequence counter only where challenges can be computed from it. */
export function otherObjects(catalogue: Catalogue, atr: string): LookObject[] {
  const deciding = decidingObjects(catalogue, atr);
  const counts = catalogue.profiles.some(
    (profile) => profile.securityDomain?.challenges === 'predictable' && mayBe(profile, atr),
  );
  return LOOK_OBJECTS.filter((name) => !deciding.includes(name) && (name !== 'sequenceCounter' || counts));
}

const LOOK_OBJECTS = Object.keys(LOOK_TAGS) as readonly LookObject[];

/** Whether a card with this ATR can be of the type: its ATR fits, or the type asks for none. */
export function mayBe(profile: CardTypeProfile, atr: string): boolean {
  return profile.recognise.atr === undefined || atrBits(profile, { atr }) > 0;
}

type Recognition =
  | { readonly known: true; readonly profile: CardTypeProfile; readonly identification: string }
  | { readonly known: false; readonly code: 'unknown-card' | 'wrong-card-type'; readonly reason: string };

/**
 * Finds the card's type and identification code. `unknown-card`: no profile fits, or two fit equally well. `wrong-card-type`:
 * one fits by its ATR, but what the card says of itself contradicts it.
 */
export function recognise(catalogue: Catalogue, facts: CardFacts): Recognition {
  const found = mostSpecific(catalogue, facts);
  if (!('profile' in found)) return { known: false, ...found };
  const { profile } = found;
  const domain = profile.securityDomain;
  if (domain?.announced === true) {
    const protocols = cardDataOf(facts)?.protocols ?? [];
    if (protocols.length === 0) return unknown('wrong-card-type', 'the card names no secure channel');
    if (!protocols.some((one) => one.scp === Number(domain.scp) && one.i === domain.i))
      return unknown('wrong-card-type', 'the card names another secure channel than its profile');
  }
  const identification = readIdentification(profile.identification, facts);
  if (identification === undefined)
    return unknown('wrong-card-type', 'no identification code where it should be');
  // A SIM's code may have hexadecimal digits; as an account it could be written onto no card.
  if (profile.account.source === 'identification' && !accountSchema.safeParse(identification).success)
    return unknown('wrong-card-type', 'an identification code that is no account');
  return { known: true, profile, identification };
}

function unknown(code: 'unknown-card' | 'wrong-card-type', reason: string): Recognition & { known: false } {
  return { known: false, code, reason };
}

/** The profile that fits with the most bits. Two that fit equally are an error that names both. */
function mostSpecific(
  catalogue: Catalogue,
  facts: CardFacts,
): { readonly profile: CardTypeProfile } | Omit<Recognition & { known: false }, 'known'> {
  const fitting = catalogue.profiles
    .map((profile) => ({ profile, bits: fittingBits(profile, facts) }))
    .filter((candidate) => candidate.bits > 0)
    .sort((a, b) => b.bits - a.bits);
  const [best, second] = fitting;
  if (best === undefined) {
    const almost = catalogue.profiles.find((profile) => atrBits(profile, facts) > 0);
    return almost === undefined
      ? { code: 'unknown-card', reason: 'no profile fits the card' }
      : {
          code: 'wrong-card-type',
          reason: `${almost.id} fits the ATR, but not what the card says of itself`,
        };
  }
  if (best.bits === second?.bits) {
    const reason = `the profiles ${best.profile.id} and ${second.profile.id} fit equally well`;
    return { code: 'unknown-card', reason };
  }
  return { profile: best.profile };
}

/** How many bits of what the card says the profile asks for; 0 when any of them differs. */
function fittingBits(profile: CardTypeProfile, facts: CardFacts): number {
  const { atr, cplc, cardData, iin } = profile.recognise;
  const parts = [
    atr === undefined ? undefined : atrBits(profile, facts),
    cplc === undefined ? undefined : cplcBits(cplc, facts),
    cardData === undefined ? undefined : cardDataBits(cardData, facts),
    iin === undefined ? undefined : maskedBits(iin, tlv(facts.iin, 0x42)),
  ].filter((bits) => bits !== undefined);
  return parts.every((bits) => bits > 0) ? parts.reduce((sum, bits) => sum + bits, 0) : 0;
}

/** Bits of the ATR that the profile asks for; 0 when it asks for none, or the card's is another. */
function atrBits(profile: CardTypeProfile, facts: Pick<CardFacts, 'atr'>): number {
  const { atr } = profile.recognise;
  return atr === undefined || atr.value.length !== facts.atr.length ? 0 : maskedBits(atr, fromHex(facts.atr));
}

function cplcBits(wanted: NonNullable<CardTypeProfile['recognise']['cplc']>, facts: CardFacts): number {
  const cplc = readable(() =>
    facts.cplc === undefined ? undefined : parseProductionLifeCycle(fromHex(facts.cplc)),
  );
  if (cplc === undefined) return 0;
  const named = CPLC_FIELDS.filter((field) => wanted[field] !== undefined);
  return named.every((field) => toHex(cplc[field]) === wanted[field]) ? 16 * named.length : 0;
}

/** A version counts as much as a protocol and its options: two bytes. */
function cardDataBits(
  wanted: NonNullable<CardTypeProfile['recognise']['cardData']>,
  facts: CardFacts,
): number {
  const said = cardDataOf(facts);
  if (said === undefined) return 0;
  const { gpVersion, protocol } = wanted;
  const versionFits = gpVersion === undefined || said.gpVersion === gpVersion;
  const protocolFits =
    protocol === undefined ||
    said.protocols.some((one) => one.scp === Number(protocol.scp) && one.i === protocol.i);
  if (!versionFits || !protocolFits) return 0;
  return (gpVersion === undefined ? 0 : 16) + (protocol === undefined ? 0 : 16);
}

function maskedBits(
  { value, mask }: { readonly value: string; readonly mask: string },
  bytes: Uint8Array | undefined,
): number {
  const wanted = fromHex(value);
  if (bytes === undefined || bytes.length < wanted.length) return 0;
  let bits = 0;
  for (const [i, m] of fromHex(mask).entries()) {
    if (((bytes[i] ?? 0) & m) !== ((wanted[i] ?? 0) & m)) return 0;
    for (let bit = m; bit > 0; bit >>= 1) bits += bit & 1;
  }
  return bits;
}

function cardDataOf(facts: CardFacts): CardData | undefined {
  const { cardData } = facts;
  return cardData === undefined ? undefined : readable(() => parseCardData(fromHex(cardData)));
}

/** Free non-volatile memory in bytes from extended card resources (GET DATA FF21); null where the card does not say. */
export function freeMemory(facts: CardFacts): number | null {
  // Before an object FF counts as padding (ISO/IEC 7816-4 §5.2.2), so the tag FF21 is taken off by hand.
  const inner = facts.resources?.startsWith('FF21') === true ? `30${facts.resources.slice(4)}` : undefined;
  const value = tlv(inner, 0x30, 0x82);
  if (value === undefined || value.length === 0 || value.length > 4) return null;
  return value.reduce((sum, byte) => sum * 256 + byte, 0);
}

function tlv(hex: string | undefined, ...path: readonly number[]): Uint8Array | undefined {
  return hex === undefined ? undefined : readable(() => findTlv(fromHex(hex), ...path));
}

/** A card may say anything: what cannot be read counts as absent. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
