/** What the answers of a Lantern app teach. Its status words: 9F0n the key is wrong and n tries are left, 9F80 the door stays shut. */
import { toHex } from '../../../app/card/bytes.ts';
import type { AppChange, AppGlance } from '../../../app/dialects/dialect.ts';
import type { Fate } from '../../../app/dialects/fate.ts';
import { disproven, returnTry, writeDone, writeUndone } from '../../../app/dialects/key-slots.ts';
import { slotOf, withSlot } from '../../../app/dialects/keys.ts';
import { DOOR, type LanternMeaning, type LanternRule, notesSchema } from './rule.ts';

const SHUT = 0x9f80;

export function absorb(rule: LanternRule, work: AppGlance, meaning: LanternMeaning, fate: Fate): AppChange {
  const notes = notesSchema.parse(work.notes);
  switch (meaning.kind) {
    case 'find':
      return failed(fate);
    case 'random':
      return fate.kind === 'ok' && fate.answered
        ? { notes: { ...notes, random: toHex(fate.data) } }
        : failed(fate);
    case 'state':
      if (fate.kind !== 'ok' || !fate.answered) return failed(fate);
      return fate.data[0] === 1
        ? { enabled: true, flagInDoubt: false }
        : { flagInDoubt: false, notes: { ...notes, stateRead: true } };
    case 'open':
      return absorbOpen(rule, work, meaning, fate);
    case 'change': {
      const { key, before } = meaning;
      if (fate.kind === 'ok')
        return { keys: withSlot(work.keys, DOOR, (slot) => writeDone(slot, key)), touched: true };
      if (fate.kind === 'unknown') return { touched: true };
      return { ...failed(fate), keys: withSlot(work.keys, DOOR, (slot) => writeUndone(slot, before)) };
    }
    case 'mark':
      if (fate.kind === 'ok') return { enabled: true, flagInDoubt: false, touched: true };
      return fate.kind === 'unknown' ? { touched: true } : { ...failed(fate), flagInDoubt: false };
  }
}

/** Behind the command that opens the door another key may already have been written: what is possible stays so. */
function absorbOpen(
  rule: LanternRule,
  work: AppGlance,
  { key, before }: Extract<LanternMeaning, { kind: 'open' }>,
  fate: Fate,
): AppChange {
  const slot = slotOf(work.keys, DOOR);
  const changing = slot.candidates.length > before.length;
  switch (fate.kind) {
    case 'ok': {
      const candidates = changing ? slot.candidates : [key];
      return {
        keys: { [DOOR]: { candidates, spent: 0, refused: false } },
        accepted: true,
        notes: { ...notesSchema.parse(work.notes), open: true },
      };
    }
    case 'unsent':
      return { keys: withSlot(work.keys, DOOR, returnTry) };
    case 'unknown':
      return {};
    case 'refused': {
      if (fate.sw === SHUT) return { fails: 'app-locked' };
      if (fate.sw >> 4 !== 0x9f0) return { fails: 'card-refused-command' };
      const known = disproven({ ...slot, candidates: before }, key, fate.sw & 0x0f, rule.tries);
      return { keys: { [DOOR]: known }, ...(known.refused ? { fails: 'card-refused-key' as const } : {}) };
    }
  }
}

function failed(fate: Fate): AppChange {
  return fate.kind === 'refused' ? { fails: 'card-refused-command' } : {};
}
