/** A card type: how it is recognised, and everything that differs between types (docs/profiles.md). */
import { z } from 'zod';
import { appRuleSchema, type DialectRegistry } from '../dialects/read-rule.ts';
import { hexByte } from '../dialects/rule-fields.ts';
import { securityDomainSchema } from './domain-schema.ts';

const hexText = z.string().regex(/^(?:[0-9A-F]{2})+$/);

const name = z.string().min(1).max(40);

/** A name as people read it, by language: in Chinese and English, and in others that a site may have. */
export const localName = z.object({ 'zh-CN': name, en: name }).catchall(name);

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

const profileFields = {
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
};

/** A card type, with its apps' rules read by `dialects`; also: what needs a security domain has one. */
export function cardTypeProfileSchema(dialects: DialectRegistry) {
  return z
    .strictObject({ ...profileFields, apps: z.record(z.string(), appRuleSchema(dialects)) })
    .refine(
      ({ account, identification }) => account.source === 'entered' || identification.source !== 'cplc',
      { message: 'an identification code that is not decimal is no account', path: ['account', 'source'] },
    )
    .refine(
      ({ securityDomain, recognise }) => securityDomain !== undefined || recognise.cardData === undefined,
      { message: 'a card without a security domain has no card data', path: ['recognise', 'cardData'] },
    );
}
export type CardTypeProfile = z.infer<ReturnType<typeof cardTypeProfileSchema>>;
export type IdentificationRule = CardTypeProfile['identification'];
