/** What a profile says of an FMCOS app: its key slots and its public file (docs/profiles.md). */
import { z } from 'zod';
import { factorSource, hexByte } from '../rule-fields.ts';

/** One key slot: the header that a replacing WRITE KEY must carry whole. No defaults: a wrong one ends the app. */
export const keyLayoutFields = z.strictObject({
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
const keyLayoutSchema = keyLayoutFields
  .refine((slot) => slot.typeInside === (slot.type | 0xc0), {
    message: 'a key slot must be protected (its own type + C0)',
    path: ['typeInside'],
  })
  .refine((slot) => (slot.counter & 0x0f) === slot.counter >> 4 && slot.counter >> 4 >= 2, {
    message: 'a new key starts with all its tries, two at least',
    path: ['counter'],
  });
export type KeyLayout = z.infer<typeof keyLayoutSchema>;

/** How one app is enabled on cards of one type. */
export const fmcosRuleFields = z.strictObject({
  dialect: z.literal('fmcos'),
  mck: keyLayoutSchema.refine((slot) => slot.type === 0x39, {
    message: 'the master control key is a key 39',
  }),
  mtk: keyLayoutSchema.refine((slot) => slot.type === 0x36, { message: 'the maintenance key is a key 36' }),
  /** Read no more: what the issuer's keys are diversified by is fixed with each master. Older profiles have it. */
  issuerFactor: z.literal('account').optional(),
  publicFile: z.strictObject({
    // ISO/IEC 7816-4 §7.3.2: 0 and 31 name no file.
    shortFileId: hexByte.refine((id) => id >= 1 && id <= 30, { message: 'a short file id is 1 to 30' }),
    length: z.number().int().min(30).max(255),
    /** Where the enabled flag and the account stand in it: that of the demo card's sheet. */
    layout: z.literal('kaika-30').default('kaika-30'),
  }),
});
export type FmcosRule = z.infer<typeof fmcosRuleFields>;

/** Most tries of a key: the high nibble of its counter. */
export function maximumTries({ counter }: Pick<KeyLayout, 'counter'>): number {
  return counter >> 4;
}

/** Wrong MACs in a row on the public file that lock the application for good, whatever the key's counter says. */
export const MOST_WRONG_MACS = 3;
