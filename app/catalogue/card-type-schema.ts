/** A card type: how it is recognised, and everything that differs between types (docs/profiles.md). */
import { z } from 'zod';
import { factorSource, hexByte, securityDomainSchema } from './domain-schema.ts';

const hexText = z.string().regex(/^(?:[0-9A-F]{2})+$/);

/** A name in both languages, as people read it. */
export const localName = z.strictObject({
  'zh-CN': z.string().min(1).max(40),
  en: z.string().min(1).max(40),
});

/** Bytes, and which of their bits count. */
const masked = z
  .strictObject({ value: hexText, mask: hexText })
  .refine((one) => one.value.length === one.mask.length, { message: 'value and mask differ in length' })
  .refine((one) => /[1-9A-F]/.test(one.mask), { message: 'a mask without a bit says nothing' });

/** Fields of the card production life cycle data (9F7F) that are the same on all cards of a type. */
export const CPLC_FIELDS = [
  'icFabricator',
  'icType',
  'operatingSystemId',
  'operatingSystemReleaseDate',
  'operatingSystemReleaseLevel',
] as const;

const twoBytes = z.string().regex(/^[0-9A-F]{4}$/);

/** How a card of the type is told from others: everything given here must fit. */
const recogniseSchema = z
  .strictObject({
    atr: masked.optional(),
    cplc: z.partialRecord(z.enum(CPLC_FIELDS), twoBytes).optional(),
    /** Card recognition data (0066): version of the specification, and a protocol that is among the card's. */
    cardData: z
      .strictObject({
        gpVersion: z
          .string()
          .regex(/^[0-9]+(?:\.[0-9]+){0,3}$/)
          .optional(),
        protocol: z.strictObject({ scp: z.enum(['02', '03']), i: hexByte }).optional(),
      })
      .optional(),
    /** Issuer identification number (0042): how it begins. */
    iin: masked.optional(),
  })
  .refine(
    ({ atr, cplc, cardData, iin }) =>
      atr !== undefined ||
      iin !== undefined ||
      Object.keys(cplc ?? {}).length > 0 ||
      cardData?.gpVersion !== undefined ||
      cardData?.protocol !== undefined,
    { message: 'nothing to recognise a card by' },
  );

const digits = z.number().int().min(8).max(20).multipleOf(2);

/** Where the identification code burnt into the card is read, without keys. */
const identificationSchema = z.discriminatedUnion('source', [
  /** Card image number (0045), packed BCD. */
  z.strictObject({ source: z.literal('cin'), digits }),
  /** Fabrication date, serial number and batch of the chip (9F7F): 16 hexadecimal digits. */
  z.strictObject({ source: z.literal('cplc') }),
  /** A file anybody may read. */
  z.strictObject({
    source: z.literal('file'),
    /** File identifiers from the master file on. */
    path: z.array(twoBytes).min(1).max(4),
    offset: z.number().int().min(0).max(200),
    digits,
    /** Whether the digits of each byte are swapped, as in an ICCID (ETSI TS 102 221 §13.2). */
    swapped: z.boolean(),
  }),
]);

/** Where the account comes from: staff enter it, or it is the identification code. */
const accountSchema = z.strictObject({ source: z.enum(['entered', 'identification']) });

/** One FMCOS key slot: the header that a replacing WRITE KEY must carry whole. No defaults: a wrong one ends the app. */
const keySlotFields = z.strictObject({
  /** 39 external authentication, 36 file line protection. */
  type: z.enum(['39', '36']).transform((text): 0x39 | 0x36 => (text === '39' ? 0x39 : 0x36)),
  keyId: hexByte,
  /** With C0: the card takes writes only enciphered and MACed. Anything else refuses the profile. */
  typeInside: hexByte,
  useRight: hexByte,
  changeRight: hexByte,
  nextState: hexByte,
  counter: hexByte,
  length: z.literal(16),
  mac16: z.literal('retail'),
  transportKey: z.strictObject({ version: z.number().int().min(1), factor: factorSource }),
});
export const keySlotSchema = keySlotFields
  .refine((slot) => slot.typeInside === (slot.type | 0xc0), {
    message: 'a key slot must be protected (its own type + C0)',
    path: ['typeInside'],
  })
  .refine((slot) => (slot.counter & 0x0f) === slot.counter >> 4 && slot.counter >> 4 >= 2, {
    message: 'a new key starts with all its tries, two at least',
    path: ['counter'],
  });
export type KeySlot = z.infer<typeof keySlotSchema>;

/** How one app is enabled on cards of one type. */
export const appRuleSchema = z.strictObject({
  dialect: z.literal('fmcos'),
  mck: keySlotSchema.refine((slot) => slot.type === 0x39, { message: 'the master control key is a key 39' }),
  mtk: keySlotSchema.refine((slot) => slot.type === 0x36, { message: 'the maintenance key is a key 36' }),
  issuerFactor: z.literal('account'),
  publicFile: z.strictObject({
    // ISO/IEC 7816-4 §7.3.2: 0 and 31 name no file.
    shortFileId: hexByte.refine((id) => id >= 1 && id <= 30, { message: 'a short file id is 1 to 30' }),
    length: z.number().int().min(30).max(255),
    /** Where the enabled flag and the account stand in it: that of the demo card's sheet. */
    layout: z.literal('kaika-30').default('kaika-30'),
  }),
});
export type AppRule = z.infer<typeof appRuleSchema>;

const profileFields = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,30}$/),
  name: localName,
  version: z.string().max(20),
  recognise: recogniseSchema,
  identification: identificationSchema,
  account: accountSchema.default({ source: 'entered' }),
  securityDomain: securityDomainSchema.optional(),
  keyWriteAtomic: z.boolean(),
  /** What the chip has for packages and instances, in bytes of non-volatile memory; for cards that do not say what is free. */
  memory: z.strictObject({ nonVolatile: z.number().int().min(0) }).optional(),
  /** Bytes of non-volatile memory that are never planned away. */
  memoryReserve: z.number().int().min(0),
  apps: z.record(z.string(), appRuleSchema),
});

/** A card type; also: what needs a security domain has one. */
export const cardTypeProfileSchema = profileFields
  .refine(({ account, identification }) => account.source === 'entered' || identification.source !== 'cplc', {
    message: 'an identification code that is not decimal is no account',
    path: ['account', 'source'],
  })
  .refine(
    ({ securityDomain, recognise }) => securityDomain !== undefined || recognise.cardData === undefined,
    { message: 'a card without a security domain has no card data', path: ['recognise', 'cardData'] },
  );
export type CardTypeProfile = z.infer<typeof cardTypeProfileSchema>;
export type IdentificationRule = CardTypeProfile['identification'];
