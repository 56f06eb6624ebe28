/** How keys are named. A name never carries a key: masters stay in the token, and a card's key is made there from its master. */
import { z } from 'zod';
import { FACTOR_KINDS } from '../../dialects/keys.ts';
import { bytes, ownBytes } from './bytes-schema.ts';

/** Algorithm of a master key and of the card keys derived from it. */
export const KEY_ALGORITHMS = ['des3-16', 'aes-128', 'aes-192', 'aes-256'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

const WORD = '[a-z0-9][a-z0-9-]*';
const PURPOSE = new RegExp(`^${WORD}(?:/${WORD}){1,5}$`);
const LONGEST_PURPOSE = 120;
/** Bytes of key diversification data in an INITIALIZE UPDATE answer (GPC 2.3.1 §E.5.1.3). */
const DIVERSIFICATION_DATA = 10;

/**
 * Names one version of one master key. `purpose` is a path whose last word is the key's role: `app/<app>/<role>` for a card
 * application (which roles there are, its dialect says), `isd/<card type>/enc`, `/mac` and `/dek` for a security domain.
 * `origin` says whose key it is: as the manufacturer delivered it, or the issuer's own. Versions count from 1.
 */
export const masterKeyIdSchema = z.strictObject({
  purpose: z.string().max(LONGEST_PURPOSE).regex(PURPOSE),
  origin: z.enum(['factory', 'issuer']),
  version: z.int().min(1).max(65_535),
});
export type MasterKeyId = Readonly<z.infer<typeof masterKeyIdSchema>>;

/** What a card's key may be diversified by: `none` is the master itself; the last three take what the card gives (below). */
export const DIVERSIFIED_BY = ['none', ...FACTOR_KINDS, 'visa2', 'emv-cps', 'kdf3'] as const;
export type DiversifiedBy = (typeof DIVERSIFIED_BY)[number];

/**
 * What is fixed with a master when it is made, and stands in the token beside it. A call cannot choose it: a server that somebody has taken
 * over could otherwise have one key derived in two ways, or written with rights under which everybody may change it.
 */
export const masterRuleSchema = z.strictObject({
  diversifiedBy: z.enum(DIVERSIFIED_BY),
  /** What may stand before a new key of this master in a key record, hexadecimal; its dialect says what is in it. None: it is not written so. */
  records: z.array(z.string().regex(/^(?:[0-9A-F]{2}){1,32}$/)).max(16),
});
export type MasterRule = Readonly<z.infer<typeof masterRuleSchema>>;

/** Public facts of a master key in the token. `checkValue`: 3 bytes; DES: of 8 zero bytes, AES: GP's, of 16 bytes 01. */
export const masterInfoSchema = masterKeyIdSchema.extend({
  algorithm: z.enum(KEY_ALGORITHMS),
  checkValue: ownBytes,
  /** Null for a master of an older program: nothing is done with it until `keys fix` gave it one. */
  rule: masterRuleSchema.nullable(),
});
export type MasterKeyInfo = Readonly<z.infer<typeof masterInfoSchema>>;

/** How errors and logs name a master key. */
export function describeKey(id: MasterKeyId): string {
  return `${id.purpose} (${id.origin}, version ${id.version})`;
}

/** Owner and role of a purpose: `app/e-wallet/mck` is the role mck of `app/e-wallet`. */
export function keyRole(id: MasterKeyId): { readonly owner: string; readonly role: string } {
  const end = id.purpose.lastIndexOf('/');
  return { owner: id.purpose.slice(0, end), role: id.purpose.slice(end + 1) };
}

/**
 * A master of one of some roles. This is where keys are separated by use: an operation that takes `app/…/mck` refuses every other
 * key, so that none can be made to do another's work.
 */
function masterOf(kind: 'app' | 'isd', roles: readonly string[]): typeof masterKeyIdSchema {
  const purpose = new RegExp(`^${kind}(?:/${WORD}){1,4}/(?:${roles.join('|')})$`);
  return masterKeyIdSchema
    .extend({ purpose: z.string().max(LONGEST_PURPOSE).regex(purpose, { error: notForThis }) })
    .meta({ keys: roles.map((role) => `${kind}/…/${role}`) });
}

/** What a call that would write a manufacturer's key to a card is refused with: who knows that key would have the card. */
export const WRITES_FACTORY_KEY = "a manufacturer's key is never written over another";

/** Whether every key is the issuer's own. */
export function areIssuers(keys: readonly { readonly master: MasterKeyId }[]): boolean {
  return keys.every(({ master }) => master.origin === 'issuer');
}

/** Names the key only if it is a key's name at all: the sentence goes into logs. */
function notForThis({ input }: { readonly input?: unknown }): string {
  const named = typeof input === 'string' && input.length <= LONGEST_PURPOSE && PURPOSE.test(input);
  return `${named ? input : 'the key'} is not for this operation`;
}

const code = z.string().regex(/^[0-9A-F]{1,64}$/);

/**
 * The card that a call is about, said once. Every key in the call is checked to be this card's, by the rule of its master: so no call
 * brings one card's key together with another's.
 */
export const cardStatement = z.strictObject({
  identification: code,
  account: code,
  /** What the card gave with INITIALIZE UPDATE; where a master's rule needs it. */
  data: bytes(DIVERSIFICATION_DATA).optional(),
});
export type CardStatement = Readonly<z.infer<typeof cardStatement>>;

/** The same, for the table of operations. */
export const statedCard = cardStatement.describe(
  'identification code and account, said once for all keys of the call',
);

/**
 * One card's key of a card application: the master, of one of `roles`, and the 8-byte diversification factor D. Card key =
 * ECB(master, D ‖ NOT D), PBOC diversification, for AES masters the same 16 bytes as one AES block. `account`: of a key that the card got when it
 * had another account.
 */
export function cardKey(...roles: readonly string[]) {
  return z.strictObject({ master: masterOf('app', roles), factor: bytes(8), account: code.optional() });
}
export type CardKeyRef = Readonly<z.infer<ReturnType<typeof cardKey>>>;

/**
 * How the key of a card's security domain comes from its master; each is named in card-type profiles (docs/profiles.md).
 * `none`: it is the master itself. `pboc`: as `cardKey`. The others take the 10 bytes of key diversification data that the card
 * gives with INITIALIZE UPDATE: `visa2` and `emv-cps` (3DES) of some of them, `kdf3` (AES) NIST SP 800-108 in counter mode.
 */
const diversification = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('pboc'), factor: bytes(8) }),
  z.strictObject({ kind: z.literal('visa2'), data: bytes(DIVERSIFICATION_DATA) }),
  z.strictObject({ kind: z.literal('emv-cps'), data: bytes(DIVERSIFICATION_DATA) }),
  z.strictObject({ kind: z.literal('kdf3'), data: bytes(DIVERSIFICATION_DATA) }),
]);
export type Diversification = Readonly<z.infer<typeof diversification>>;

/** One key of one card's security domain. */
export function domainKey(role: 'enc' | 'mac' | 'dek') {
  return z.strictObject({ master: masterOf('isd', [role]), diversification });
}
export type DomainKeyRef = Readonly<z.infer<ReturnType<typeof domainKey>>>;

/** The three keys of one security domain. */
export const domainKeys = z.strictObject({
  enc: domainKey('enc'),
  mac: domainKey('mac'),
  dek: domainKey('dek'),
});
export type DomainKeyRefs = Readonly<z.infer<typeof domainKeys>>;

/** Whether all keys are of one application, or of one card type's security domain. */
export function haveOneOwner(keys: readonly { readonly master: MasterKeyId }[]): boolean {
  const [first, ...others] = keys.map(({ master }) => keyRole(master).owner);
  return others.every((owner) => owner === first);
}

/** What `haveOneOwner` is refused with. */
export const OF_TWO_OWNERS = 'the keys are not of one application or security domain';
