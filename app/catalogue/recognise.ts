/** Which card this is, from what the key-less look read. */
import { fromHex, toHex } from '../card/bytes.ts';
import { findTlv } from '../card/tlv.ts';
import type { CardFacts } from '../protocol/wire.ts';
import type { CardTypeProfile, Catalogue } from './schema.ts';

/** Tags of GET DATA that the look asks for, and the field of CardFacts each goes to (GPC 2.3.1 §11.3). */
export const LOOK_TAGS = {
  cplc: 0x9f7f,
  iin: 0x0042,
  cin: 0x0045,
  cardData: 0x0066,
  keyInformation: 0x00e0,
  diversificationData: 0x00cf,
  resources: 0xff21,
} as const;

export type Recognition =
  | { readonly known: true; readonly profile: CardTypeProfile; readonly identification: string }
  | { readonly known: false; readonly code: 'unknown-card' | 'wrong-card-type'; readonly reason: string };

/**
 * Finds the card's type and identification code. `unknown-card`: no profile fits, or two fit equally well. `wrong-card-type`:
 * one fits by its ATR, but what the card says of itself contradicts it.
 */
export function recognise(catalogue: Catalogue, facts: CardFacts): Recognition {
  const profile = byAtr(catalogue, fromHex(facts.atr));
  if (profile === undefined) return unknown('unknown-card', 'no profile fits the ATR');
  const channel = facts.cardData === undefined ? undefined : secureChannelOf(facts.cardData);
  const domain = profile.securityDomain;
  if (domain !== undefined && channel === undefined) {
    return unknown('wrong-card-type', 'the card names no secure channel');
  }
  if (
    domain !== undefined &&
    channel !== undefined &&
    (channel.scp !== domain.scp || channel.i !== domain.i)
  ) {
    return unknown('wrong-card-type', 'the card names another secure channel than its profile');
  }
  const identification = identificationOf(profile, facts);
  if (identification === undefined)
    return unknown('wrong-card-type', 'no identification code where it should be');
  return { known: true, profile, identification };
}

function unknown(code: 'unknown-card' | 'wrong-card-type', reason: string): Recognition {
  return { known: false, code, reason };
}

/** The profile whose mask fits with the most bits; none when two fit equally. */
function byAtr(catalogue: Catalogue, atr: Uint8Array): CardTypeProfile | undefined {
  const fitting = catalogue.profiles
    .map((profile) => ({ profile, bits: fittingBits(profile, atr) }))
    .filter((candidate) => candidate.bits >= 0)
    .sort((a, b) => b.bits - a.bits);
  const [best, second] = fitting;
  return best !== undefined && best.bits !== second?.bits ? best.profile : undefined;
}

function fittingBits(profile: CardTypeProfile, atr: Uint8Array): number {
  const value = fromHex(profile.recognise.atr.value);
  const mask = fromHex(profile.recognise.atr.mask);
  if (value.length !== atr.length) return -1;
  let bits = 0;
  for (let i = 0; i < atr.length; i += 1) {
    const m = mask[i] ?? 0;
    if (((atr[i] ?? 0) & m) !== ((value[i] ?? 0) & m)) return -1;
    for (let bit = m; bit > 0; bit >>= 1) bits += bit & 1;
  }
  return bits;
}

/**
 * Secure channel protocol and its parameter i from card recognition data: object 66 → 73 → 64 → OID
 * {globalPlatform 4 scp i} (GPC 2.3.1 §H.2).
 */
export function secureChannelOf(cardData: string): { scp: '02' | '03'; i: number } | undefined {
  const oid = tlv(cardData, 0x66, 0x73, 0x64, 0x06);
  if (oid === undefined) return undefined;
  const match = /^2A864886FC6B04(02|03)([0-9A-F]{2})$/.exec(toHex(oid));
  if (match === null) return undefined;
  return { scp: match[1] === '02' ? '02' : '03', i: Number.parseInt(match[2] ?? '', 16) };
}

/** The identification code: decimal digits of the card image number (GET DATA 0045, packed BCD). */
function identificationOf(profile: CardTypeProfile, facts: CardFacts): string | undefined {
  const value = facts.cin === undefined ? undefined : tlv(facts.cin, 0x45);
  if (value === undefined) return undefined;
  const digits = toHex(value);
  return /^[0-9]+$/.test(digits) && digits.length === profile.identification.digits ? digits : undefined;
}

/** Free non-volatile memory in bytes from extended card resources (GET DATA FF21); null where the card does not say. */
export function freeMemory(facts: CardFacts): number | null {
  // Before an object FF counts as padding (ISO/IEC 7816-4 §5.2.2), so the tag FF21 is taken off by hand.
  const inner = facts.resources?.startsWith('FF21') === true ? `30${facts.resources.slice(4)}` : undefined;
  const value = inner === undefined ? undefined : tlv(inner, 0x30, 0x82);
  if (value === undefined || value.length === 0 || value.length > 4) return null;
  return value.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** A card may say anything: what is not BER-TLV counts as absent. */
function tlv(hex: string, ...path: readonly number[]): Uint8Array | undefined {
  try {
    return findTlv(fromHex(hex), ...path);
  } catch {
    return undefined;
  }
}
