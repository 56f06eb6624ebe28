/** Why a card is set aside: a code for texts and programs, a sentence for the record. Pure. */
import type { ErrorDetails } from './errors.ts';

/** Every reason, in the record's words. */
const SET_ASIDE_REASONS = {
  'key-damaged': 'a key on the card is damaged',
  'new-key-damaged': 'the card refused a new key as damaged',
  'maintenance-key-damaged': 'the maintenance key on the card is damaged',
  'maintenance-key-refused': 'the card refuses the maintenance key',
  'domain-keys-differ': 'the security domain confirms other keys than it was given',
} as const;
export type SetAsideReason = keyof typeof SET_ASIDE_REASONS;

export const SET_ASIDE_CODES = [
  'key-damaged',
  'new-key-damaged',
  'maintenance-key-damaged',
  'maintenance-key-refused',
  'domain-keys-differ',
] as const satisfies readonly SetAsideReason[];

/** What the record keeps: the app where it is an app's, and the sentence. */
export function setAsideText(reason: SetAsideReason, app?: string): string {
  const sentence = SET_ASIDE_REASONS[reason];
  return app === undefined ? sentence : `${app}: ${sentence}`;
}

/** Details of a `card-set-aside` from what the record keeps; none for a reason in somebody's own words. */
export function setAsideDetails(text: string): ErrorDetails {
  const [, app, sentence = text] = /^([a-z][a-z0-9-]{1,30}): (.*)$/s.exec(text) ?? [];
  const reason = SET_ASIDE_CODES.find((code) => SET_ASIDE_REASONS[code] === sentence);
  if (reason === undefined) return {};
  return app === undefined ? { reason } : { reason, app };
}
