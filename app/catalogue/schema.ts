/** The catalogue: card applications and card-type profiles, as files in resources/ say them (docs/profiles.md). */
import { z } from 'zod';
import { isAid } from '../card/aid.ts';
import { checkSecurityLevel, maximumBlockSize, SCP03_S16 } from '../globalplatform/security-level.ts';

const hexByte = z
  .string()
  .regex(/^[0-9A-F]{2}$/)
  .transform((text) => Number.parseInt(text, 16));
const hexText = z.string().regex(/^(?:[0-9A-F]{2})+$/);
const aid = z.string().refine(isAid, { message: 'not an AID of 5 to 16 bytes' });
const localName = z.strictObject({ 'zh-CN': z.string().min(1).max(40), en: z.string().min(1).max(40) });

export const APP_ICONS = ['wallet', 'identity', 'meal', 'transit', 'card'] as const;

/** One application that can be offered. Memory in bytes of non-volatile memory, as the package's vendor declares it. */
export const cardApplicationSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,30}$/),
  name: localName,
  icon: z.enum(APP_ICONS),
  packageAid: aid,
  appletAid: aid,
  instanceAid: aid,
  /** A file below resources/packages; without it the app cannot be loaded, only enabled where it is installed. */
  package: z
    .string()
    .regex(/^[a-z0-9-]+\.cap$/)
    .optional(),
  memory: z.strictObject({ load: z.number().int().min(0), instance: z.number().int().min(0) }),
  /** Holds money: its balance is read before it may be deleted. */
  purse: z.boolean(),
});
export type CardApplication = z.infer<typeof cardApplicationSchema>;

/** Which 8 bytes a card's keys are diversified with; `account` = the card account, `identification` = the code burnt in. */
const factorSource = z.enum(['account', 'identification']);

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
  }),
});
export type AppRule = z.infer<typeof appRuleSchema>;

/** The issuer security domain of a card type. */
const securityDomainFields = z.strictObject({
  aid,
  scp: z.enum(['02', '03']),
  i: hexByte,
  /** C-MAC, with or without C-DECRYPTION. */
  securityLevel: z.enum(['01', '03']).transform((text): 0x01 | 0x03 => (text === '01' ? 0x01 : 0x03)),
  keyVersion: hexByte,
  /** Plain bytes a LOAD command carries. */
  blockSize: z.number().int().min(16).max(247),
  transportKeys: z.strictObject({ version: z.number().int().min(1), factor: factorSource }),
});

/** Also: protocol, options and level fit each other, and a block of that size fits a protected command. */
export const securityDomainSchema = securityDomainFields.superRefine((domain, context) => {
  try {
    checkSecurityLevel(domain.scp, domain.i, domain.securityLevel);
  } catch {
    context.addIssue({ code: 'custom', path: ['securityLevel'], message: 'not offered by scp and i' });
  }
  const macLength = domain.scp === '03' && (domain.i & SCP03_S16) !== 0 ? 16 : 8;
  const most = maximumBlockSize(domain.securityLevel, macLength);
  if (domain.blockSize > most) {
    context.addIssue({ code: 'custom', path: ['blockSize'], message: `at most ${most} at this level` });
  }
});

/** A card type: how it is recognised, and everything that differs between types. */
export const cardTypeProfileSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,30}$/),
  name: localName,
  version: z.string().max(20),
  recognise: z.strictObject({
    atr: z
      .strictObject({ value: hexText, mask: hexText })
      .refine((atr) => atr.value.length === atr.mask.length, {
        message: 'value and mask differ in length',
      }),
  }),
  identification: z.strictObject({
    source: z.literal('cin'),
    digits: z.number().int().min(8).max(20).multipleOf(2),
  }),
  securityDomain: securityDomainSchema.optional(),
  keyWriteAtomic: z.boolean(),
  /** Bytes of non-volatile memory that are never planned away. */
  memoryReserve: z.number().int().min(0),
  apps: z.record(z.string(), appRuleSchema),
});
export type CardTypeProfile = z.infer<typeof cardTypeProfileSchema>;

export interface Catalogue {
  readonly apps: readonly CardApplication[];
  readonly profiles: readonly CardTypeProfile[];
}

/** A resource file that does not follow its schema; names the file and the field. */
export class CatalogueError extends Error {
  constructor(file: string, reason: string) {
    super(`${file}: ${reason}`);
    this.name = 'CatalogueError';
  }
}

/**
 * Builds the catalogue from the parsed JSON of its files.
 * @throws CatalogueError naming the file and field, on doubled ids, and on a profile that names an app nobody offers.
 */
export function parseCatalogue(
  appsFile: unknown,
  profileFiles: readonly { readonly file: string; readonly content: unknown }[],
): Catalogue {
  const apps = parse('apps.json', z.array(cardApplicationSchema), appsFile);
  refuseDoubles(
    'apps.json',
    apps.map((app) => app.id),
  );
  const profiles = profileFiles.map(({ file, content }) => parse(file, cardTypeProfileSchema, content));
  refuseDoubles(
    'profiles',
    profiles.map((profile) => profile.id),
  );
  for (const profile of profiles) {
    for (const id of Object.keys(profile.apps)) {
      if (!apps.some((app) => app.id === id))
        throw new CatalogueError(profile.id, `app ${id} is not in apps.json`);
    }
  }
  return { apps, profiles };
}

function parse<T>(file: string, schema: z.ZodType<T>, content: unknown): T {
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new CatalogueError(
    file,
    issue ? `${issue.path.join('.') || 'whole file'}: ${issue.message}` : 'invalid',
  );
}

function refuseDoubles(file: string, ids: readonly string[]): void {
  const double = ids.find((id, at) => ids.indexOf(id) !== at);
  if (double !== undefined) throw new CatalogueError(file, `${double} stands there twice`);
}
