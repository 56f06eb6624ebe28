/**
 * Why a card is set aside, as older versions kept it: a sentence, in the store, in receipts and in states of jobs that ended long ago. Nothing
 * writes sentences any more; reading them stays, because a station may give a receipt back years later.
 */
import { z } from 'zod';
import { type SetAside, setAsideSchema } from '../../protocol/set-aside.ts';

const OF_APP = new Map<string, Extract<SetAside, { app: string }>['code']>([
  ['a key on the card is damaged', 'key-damaged'],
  ['the card refused a new key as damaged', 'new-key-damaged'],
  ['the maintenance key on the card is damaged', 'maintenance-key-damaged'],
  ['the card refuses the maintenance key', 'maintenance-key-refused'],
]);
const OF_CARD = new Map<string, 'domain-keys-differ' | 'account-given-twice'>([
  ['the security domain confirms other keys than it was given', 'domain-keys-differ'],
  ['its account was given to another card after a backup was restored', 'account-given-twice'],
]);

/** The code of a sentence; one that is nobody's is kept as it is, under `other`. */
export function codeOfSentence(sentence: string): SetAside {
  const [, app, rest] = /^([a-z][a-z0-9-]{1,30}): (.*)$/s.exec(sentence) ?? [];
  const ofApp = rest === undefined ? undefined : OF_APP.get(rest);
  if (app !== undefined && ofApp !== undefined) return { code: ofApp, app };
  const ofCard = OF_CARD.get(sentence);
  return ofCard === undefined ? { code: 'other', text: sentence } : { code: ofCard };
}

/** A reason in either form. */
export const storedSetAsideSchema = z.union([setAsideSchema, z.string().transform(codeOfSentence)]);

/**
 * A reason out of a column of the store. An older instance beside this one still writes sentences, after the columns were rewritten.
 * @throws ZodError, SyntaxError for an object that is none that `writeSetAside` writes
 */
export function readSetAside(column: string | null | undefined): SetAside | null {
  if (column == null) return null;
  return column.startsWith('{') ? setAsideSchema.parse(JSON.parse(column)) : codeOfSentence(column);
}
