/**
 * Everything a card keeps without power, as a plain JSON value. It holds the card's own keys in clear: a file with it
 * belongs to its owner alone (mode 0600).
 */
import { z } from 'zod';

const bytes = z.string().regex(/^(?:[0-9A-F]{2})*$/);
const byte = z.number().int().min(0).max(255);
const count = z.number().int().nonnegative();
const aid = z.string().regex(/^(?:[0-9A-F]{2}){5,16}$/);
const desKey = z.string().regex(/^(?:[0-9A-F]{16}|[0-9A-F]{32})$/);
const aesKey = z.string().regex(/^(?:[0-9A-F]{32}|[0-9A-F]{48}|[0-9A-F]{64})$/);

const domainKey = z.discriminatedUnion('kind', [
  z.object({ id: byte, kind: z.literal('des3'), value: desKey }),
  z.object({ id: byte, kind: z.literal('aes'), value: aesKey }),
]);

/** A public key, for what other parties sign (GPC 2.3.1 table 11-16): kept as the PUT KEY components in clear. */
const publicKey = z.discriminatedUnion('kind', [
  z.object({ version: byte, id: byte, kind: z.literal('rsa'), modulus: bytes, exponent: bytes }),
  z.object({ version: byte, id: byte, kind: z.literal('ec'), point: bytes, curve: byte }),
]);

const keySet = z.object({
  version: byte,
  /** Secure channel sequence counter: what the next INITIALIZE UPDATE uses. */
  sequenceCounter: count,
  keys: z.array(domainKey),
});

/**
 * Options "i" this card can do: GPC 2.3.1 table E-1, Amendment D table 5-1; bit 1 of SCP03 is S16 mode (Amendment D
 * 1.2).
 */
const protocol = z.union([
  z.object({
    scp: z.literal('02'),
    i: byte.refine((i) => (i & 0x8f) === 0x05, 'explicit, three keys, C-MAC on the modified APDU, ICV zero'),
  }),
  z.object({
    scp: z.literal('03'),
    i: byte.refine((i) => (i & 0x8e) === 0 && (i & 0x60) !== 0x40, 'no R-ENCRYPTION without R-MAC'),
  }),
]);

/** What every security domain keeps, the issuer's and the supplementary ones. */
const domainState = {
  protocol,
  keySets: z.array(keySet),
  publicKeys: z.array(publicKey).default([]),
  /** In a row; keys are locked for good when they reach the limit. */
  failedAuthentications: count,
  failureLimit: count,
  /** Values of the data objects stored by STORE DATA, by tag. */
  data: z.record(z.string().regex(/^(?:[0-9A-F]{2}){1,2}$/), bytes).default({}),
};

const keySlot = z.object({
  /** Key type: 39 external authentication, 36 file line protection. */
  type: byte,
  id: byte,
  /** Type as written inside the key record: F9, F6, or without C0. */
  inside: byte,
  useRight: byte,
  changeRight: byte,
  nextState: byte,
  /** High nibble the maximum, low nibble what is left. */
  counter: byte,
  value: desKey,
  /** The record's check fails: power was lost inside WRITE KEY on a card where that is not atomic. */
  damaged: z.boolean(),
});

const binaryFile = z.object({
  shortId: byte,
  data: bytes,
  writeKey: z.object({ type: byte, id: byte }),
  /** Wrong MACs in a row. */
  macFailures: count,
});

const fmcos = z.object({
  kind: z.literal('fmcos'),
  /** Locked for good by wrong MACs. */
  locked: z.boolean(),
  keyWriteAtomic: z.boolean(),
  keys: z.array(keySlot),
  files: z.array(binaryFile),
  /** In cents; absent when the app is no purse. */
  balance: count.max(0xffffffff).optional(),
});

/** An applet of no known code; keeps what it is personalised with, by DGI, tag or block number. */
const plain = z.object({
  kind: z.literal('plain'),
  data: z.record(z.string().regex(/^[0-9A-F]{2,6}$/), bytes).default({}),
});

/** A supplementary security domain. */
const supplementary = z.object({ kind: z.literal('domain'), ...domainState });

const applet = z.discriminatedUnion('kind', [plain, fmcos, supplementary]);

const instance = z.object({
  aid,
  package: aid,
  module: aid,
  privileges: z.string().regex(/^[0-9A-F]{6}$/),
  /** GPC 2.3.1 table 11-4: 03 installed, 07 selectable, 80 added while locked. */
  lifecycle: byte,
  /** The security domain it is associated with; the issuer's when absent. */
  domain: aid.optional(),
  applet,
});

const loadedPackage = z.object({
  aid,
  /** Major, minor. */
  version: z.string().regex(/^[0-9A-F]{4}$/),
  /** Bytes of non-volatile memory: the load file's components. */
  size: count,
  modules: z.array(aid),
  /** The security domain it is associated with; the issuer's when absent. */
  domain: aid.optional(),
});

/** Schema of a card image. */
export const cardImageSchema = z.object({
  format: z.literal(1),
  type: z.string().min(1),
  atr: bytes,
  identificationCode: z.string().regex(/^\d{16}$/),
  /** Which GlobalPlatform Card Specification the card names; older ones have status words and forms of their own. */
  version: z.enum(['2.1.1', '2.2.1', '2.3.1']).default('2.3.1'),
  /** Form of the key information E0 (GPC 2.3.1 tables 11-28, 11-29). */
  keyInformation: z.enum(['basic', 'extended']).default('basic'),
  /** Card production life cycle data, 42 bytes; made from the identification code when absent. */
  cplc: z
    .string()
    .regex(/^[0-9A-F]{84}$/)
    .optional(),
  /** Bytes for load files and instances, and of transient memory. */
  memory: z.object({ nonVolatile: count, volatile: count }),
  keyWriteAtomic: z.boolean(),
  domain: z.object({
    aid,
    /** GPC 2.3.1 table 11-6: 01, 07, 0F, 7F, FF. */
    lifecycle: byte,
    /** Receipts made so far, for what domains with delegated management did. */
    confirmations: count.default(0),
    ...domainState,
  }),
  packages: z.array(loadedPackage),
  instances: z.array(instance),
  /** The FMCOS apps this card has transport keys for, by package AID. */
  transport: z.record(aid, z.object({ mck: desKey, mtk: desKey, purse: z.boolean() })),
});

/** Schema of an FMCOS file system's state, for cards without GlobalPlatform. */
export const fmcosSchema = fmcos;

/** A card image; mutable, so that one command can work on its own copy. */
export type CardImage = z.infer<typeof cardImageSchema>;
/** One key set of the security domain. */
export type KeySet = z.infer<typeof keySet>;
/** One key of the security domain. */
export type DomainKey = z.infer<typeof domainKey>;
/** One public key of a security domain. */
export type PublicKey = z.infer<typeof publicKey>;
/** What a security domain keeps. */
export type DomainState = Pick<
  CardImage['domain'],
  'protocol' | 'keySets' | 'publicKeys' | 'failedAuthentications' | 'failureLimit' | 'data'
>;
/** One applet instance. */
export type Instance = z.infer<typeof instance>;
/** What one instance keeps. */
export type AppletState = z.infer<typeof applet>;
/** What an app in the FMCOS dialect keeps. */
export type FmcosState = z.infer<typeof fmcos>;
/** One key of an FMCOS key file. */
export type KeySlot = z.infer<typeof keySlot>;
/** One binary file of an FMCOS app. */
export type BinaryFile = z.infer<typeof binaryFile>;

/**
 * Reads a card image from outside.
 * @throws z.ZodError
 */
export function parseCardImage(value: unknown): CardImage {
  return cardImageSchema.parse(value);
}
