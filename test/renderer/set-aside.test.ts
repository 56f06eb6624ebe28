/** A card that is set aside, on the screen where a clerk would choose: it says why. */
import { describe, expect, it } from 'vitest';
import { SET_ASIDE_CODES } from '../../app/protocol/set-aside.ts';
import { projections } from '../../electron/engine/projections.ts';
import { cardHistorySchema } from '../../electron/ipc-schema.ts';
import { emptyChoice, setAsideOf } from '../../renderer/features/counter/choice.ts';
import { rowsOf, shownOnly } from '../../renderer/features/counter/rows.ts';
import { textsOf } from '../../renderer/texts/texts.ts';
import { LANGUAGES, messagesIn } from '../support/texts.ts';
import { CATALOGUE, card, HISTORY, NUMBER, USED } from './mock.ts';

describe.each(LANGUAGES)('in %s', (language) => {
  it.each(SET_ASIDE_CODES)('%s is said in words', (reason) => {
    const record = { kind: 'known', history: { ...HISTORY, setAside: { reason, app: 'e-wallet' } } } as const;
    const fault = setAsideOf({ ...emptyChoice(NUMBER), record });
    expect(fault).not.toBeNull();
    const { detail } = textsOf(language).error(fault?.code ?? 'internal', fault?.details);
    expect(detail).toContain(messagesIn(language).reasons[reason]);
  });
});

it('a card that is not set aside shows nothing of the kind', () => {
  expect(setAsideOf({ ...emptyChoice(NUMBER), record: { kind: 'known', history: HISTORY } })).toBeNull();
  expect(setAsideOf(emptyChoice(NUMBER))).toBeNull();
});

it('the window is given the code that the record has', () => {
  const record = {
    apiLevel: 1 as const,
    firstSeen: '2026-11-23T10:32:00.000Z',
    domain: null,
    faults: [],
    earlier: null,
    card: NUMBER,
    cardType: 'demo-scp03',
    account: '',
    issued: true,
    apps: [],
    jobs: [],
  };
  const aside = projections.history({ ...record, setAside: { code: 'key-damaged', app: 'e-wallet' } });
  expect(aside.setAside).toEqual({ reason: 'key-damaged', app: 'e-wallet' });
  expect(projections.history({ ...record, setAside: null }).setAside).toBeNull();
});

it('only codes travel to the window: a sentence instead of one is refused', () => {
  const withReason = (setAside: unknown) => cardHistorySchema.safeParse({ ...HISTORY, setAside }).success;
  expect(withReason({ reason: 'key-damaged', app: 'e-wallet' })).toBe(true);
  expect(withReason({ reason: 'domain-keys-differ' })).toBe(true);
  expect(withReason({ reason: 'the clerk said that it was found in the street' })).toBe(false);
  expect(withReason({ reason: 'other', text: 'found in the street' })).toBe(false);
});

it('nothing can be asked of its apps', () => {
  const rows = rowsOf(card(USED), CATALOGUE);
  expect(rows.some((row) => row.canEnable) && rows.some((row) => row.canDelete)).toBe(true);
  const shown = shownOnly(rows);
  expect(shown.map((row) => row.state)).toEqual(rows.map((row) => row.state));
  expect(shown.filter((row) => row.canEnable || row.canDelete)).toEqual([]);
});
