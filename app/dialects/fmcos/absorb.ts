/** What the answers of an FMCOS app teach. */
import { toHex } from '../../card/bytes.ts';
import type { AppChange, AppGlance } from '../dialect.ts';
import { type Fate, leavesDoubt } from '../fate.ts';
import {
  disproven,
  macAccepted,
  macRefused,
  proven,
  returnTry,
  writeDone,
  writeUndone,
} from '../key-slots.ts';
import { slotOf, withSlot } from '../keys.ts';
import { type FmcosMeaning, notesSchema } from './meaning.ts';
import { fmcosOutcome } from './outcome.ts';
import { readEnabledFlag } from './public-file.ts';
import { MCK, MTK } from './roles.ts';
import { type FmcosRule, maximumTries } from './rule.ts';

const NOTHING: AppChange = {};
const REFUSED: AppChange = { fails: 'card-refused-command' };

export function absorb(rule: FmcosRule, work: AppGlance, meaning: FmcosMeaning, fate: Fate): AppChange {
  switch (meaning.kind) {
    case 'select-app':
      return fate.kind === 'refused' ? REFUSED : NOTHING;
    case 'read-flag':
      return absorbReadFlag(work, fate);
    case 'challenge':
      return absorbChallenge(work, fate);
    case 'authenticate':
      return absorbAuthenticate(rule, work, meaning, fate);
    case 'write':
      return absorbWrite(work, meaning, fate);
    case 'flag':
      return absorbFlag(work, fate);
  }
}

/** The flag byte of the public file, read alone. */
function absorbReadFlag(work: AppGlance, fate: Fate): AppChange {
  if (fate.kind === 'ok' && fate.answered) {
    if (readEnabledFlag(fate.data, 0) === true) return enabled(work);
    return { flagInDoubt: false, notes: { ...notesSchema.parse(work.notes), flagRead: true } };
  }
  return fate.kind === 'refused' ? REFUSED : NOTHING;
}

function absorbChallenge(work: AppGlance, fate: Fate): AppChange {
  if (fate.kind === 'ok' && fate.answered)
    return { notes: { ...notesSchema.parse(work.notes), challenge: toHex(fate.data) } };
  return fate.kind === 'refused' ? REFUSED : NOTHING;
}

function absorbAuthenticate(
  rule: FmcosRule,
  work: AppGlance,
  { key }: Extract<FmcosMeaning, { kind: 'authenticate' }>,
  fate: Fate,
): AppChange {
  switch (fate.kind) {
    case 'ok':
      return {
        accepted: true,
        keys: withSlot(work.keys, MCK, (slot) => proven(slot, key)),
        notes: { ...notesSchema.parse(work.notes), authenticated: true },
      };
    case 'unsent':
      // It never reached the card: the try that was counted before sending was not spent.
      return { keys: withSlot(work.keys, MCK, returnTry) };
    case 'unknown':
      return NOTHING;
    case 'refused':
      break;
  }
  const outcome = fmcosOutcome(fate.sw);
  switch (outcome.kind) {
    case 'wrong-key': {
      const keys = withSlot(work.keys, MCK, (slot) =>
        disproven(slot, key, outcome.triesLeft, maximumTries(rule.mck)),
      );
      return slotOf(keys, MCK).refused ? { keys, fails: 'card-refused-key' } : { keys };
    }
    case 'locked':
    case 'application-locked':
      return { fails: 'app-locked' };
    case 'key-check-error':
      return { setAside: 'key-damaged' };
    case 'conditions-not-satisfied':
      // The challenge was gone: no try was spent. Begin the app again, a bounded number of times.
      return { keys: withSlot(work.keys, MCK, returnTry), beginAgain: true };
    default:
      return REFUSED;
  }
}

function absorbWrite(
  work: AppGlance,
  { slot: role, key, before }: Extract<FmcosMeaning, { kind: 'write' }>,
  fate: Fate,
): AppChange {
  const undone = () => withSlot(work.keys, role, (slot) => writeUndone(slot, before));
  switch (fate.kind) {
    case 'ok':
      return { keys: withSlot(work.keys, role, (slot) => writeDone(slot, key)), touched: true };
    case 'unsent':
      return { keys: undone() };
    case 'unknown':
      return { touched: true };
    case 'refused': {
      const outcome = fmcosOutcome(fate.sw);
      if (outcome.kind === 'key-check-error') return { setAside: 'new-key-damaged' };
      if (leavesDoubt(fate.sw)) return { ...REFUSED, touched: true };
      const fails = outcome.kind === 'application-locked' ? 'app-locked' : 'card-refused-command';
      return { keys: undone(), fails };
    }
  }
}

function absorbFlag(work: AppGlance, fate: Fate): AppChange {
  switch (fate.kind) {
    case 'ok':
      return { ...enabled(work), touched: true };
    case 'unsent':
      return { keys: withSlot(work.keys, MTK, returnTry), flagInDoubt: false };
    case 'unknown':
      return { touched: true };
    case 'refused':
      break;
  }
  const outcome = fmcosOutcome(fate.sw);
  if (outcome.kind === 'application-locked') return { fails: 'app-locked' };
  if (outcome.kind === 'key-check-error') return { setAside: 'maintenance-key-damaged' };
  if (leavesDoubt(fate.sw)) return { ...REFUSED, touched: true };
  if (outcome.kind === 'mac-wrong') return maintenanceKeyRefused(work);
  return { ...REFUSED, keys: withSlot(work.keys, MTK, returnTry) };
}

/** Wrong MACs lock the application for good, and a rewritten key does not start their count again: write it once more, then stop. */
function maintenanceKeyRefused({ keys }: AppGlance): AppChange {
  const refused = withSlot(keys, MTK, macRefused);
  if (slotOf(keys, MTK).spent > 1) return { keys: refused, setAside: 'maintenance-key-refused' };
  return {
    keys: refused,
    flagInDoubt: false,
    beginAgain: true,
  };
}

function enabled({ keys }: AppGlance): AppChange {
  return { enabled: true, accepted: true, flagInDoubt: false, keys: withSlot(keys, MTK, macAccepted) };
}
