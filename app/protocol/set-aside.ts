/** Why a card is set aside: a code with what it is about, for texts, programs and the record alike. Pure. */
import { z } from 'zod';
import { appIdSchema } from './wire.ts';

/** Reasons that concern one app of the card. */
const APP_CODES = [
  'key-damaged',
  'new-key-damaged',
  'maintenance-key-damaged',
  'maintenance-key-refused',
] as const;

/** Reasons that concern the whole card. */
const CARD_CODES = ['domain-keys-differ', 'account-given-twice', 'account-taken-away'] as const;

/** Every reason. Each has a text in every language; `other` is one that an older version kept in its own words. */
export const SET_ASIDE_CODES = [...APP_CODES, ...CARD_CODES, 'other'] as const;
export type SetAsideCode = (typeof SET_ASIDE_CODES)[number];
/** What a dialect may find out about one of its apps. */
export type AppSetAsideCode = (typeof APP_CODES)[number];

export const setAsideSchema = z.discriminatedUnion('code', [
  z.strictObject({ code: z.enum(APP_CODES), app: appIdSchema }),
  z.strictObject({ code: z.enum(CARD_CODES) }),
  /** `text` is for whoever reads the record, in whatever language it was written; staff are shown the code's text. */
  z.strictObject({ code: z.literal('other'), text: z.string() }),
]);
export type SetAside = z.infer<typeof setAsideSchema>;

/** Details of a `card-set-aside`: the code, and the app where it is an app's. */
type SetAsideDetails = { reason: SetAsideCode; app: string } | { reason: SetAsideCode };

export function setAsideDetails(reason: SetAside): SetAsideDetails {
  return 'app' in reason ? { reason: reason.code, app: reason.app } : { reason: reason.code };
}
