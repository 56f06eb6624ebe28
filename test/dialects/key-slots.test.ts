/** What is known of a key slot, as tables: which keys are possible, how many tries are left. */
import { describe, expect, it } from 'vitest';
import {
  attemptOf,
  certainKey,
  disproven,
  intendRewrite,
  intendWrite,
  type KeyCandidate,
  type KeySlotState,
  macAccepted,
  mayTry,
  nextTry,
  proven,
  returnTry,
  settled,
  spendTry,
  writeDone,
  writeUndone,
} from '../../app/dialects/key-slots.ts';

describe('which keys are possible', () => {
  it.each([
    ['as delivered', settled(OLD), 'old'],
    ['a write is intended', intendWrite(settled(OLD), V1), 'v1 or old'],
    ['the same write is intended again', intendWrite(inDoubt, V1), 'v1 or old'],
    ['a write of the key that is there', intendWrite(settled(V1), V1), 'v1'],
    ['another key is meant, and none is tried before', intendRewrite(inDoubt, V2), 'v2 or v1'],
    ['the same key again', intendRewrite(inDoubt, V1), 'v1'],
    ['the card said it was written', writeDone(inDoubt, V1), 'v1'],
    ['the write never left', writeUndone(inDoubt, [OLD]), 'old'],
    ['in doubt, and the card accepted the new key', proven(inDoubt, V1), 'v1'],
    ['in doubt, and the card accepted the old key', proven(inDoubt, OLD), 'old'],
    ['in doubt, and the card refused the new key', disproven(inDoubt, V1, 2, 3), 'old'],
    ['in doubt, and the card refused the old key', disproven(inDoubt, OLD, 2, 3), 'v1'],
    ['certain, and the card refused it: nothing is guessed', disproven(settled(V1), V1, 2, 3), 'v1'],
  ] as const)('%s', (_name, slot, expected) => {
    expect(names(slot)).toBe(expected);
  });

  it('a third key is never possible: a doubt is resolved before the slot changes again', () => {
    expect(() => intendWrite(inDoubt, V2)).toThrow('must be resolved');
  });

  it('in doubt no key is certain', () => {
    expect(certainKey(inDoubt)).toBeUndefined();
    expect(certainKey(settled(V1))).toEqual(V1);
  });
});

describe('tries of three', () => {
  const spent = (slot: KeySlotState, count: number): KeySlotState => ({ ...slot, spent: count });
  it.each([
    ['a certain key, none spent', settled(V1), 0, true],
    ['a certain key, one spent: failing would leave one', settled(V1), 1, true],
    ['a certain key, two spent: failing would lock', settled(V1), 2, false],
    ['in doubt, none spent: two would remain', inDoubt, 0, true],
    ['in doubt, one spent: one would remain', inDoubt, 1, false],
    ['in doubt, all spent', inDoubt, 3, false],
  ] as const)('%s', (_name, slot, count, may) => {
    expect(mayTry(spent(slot, count), 3)).toBe(may);
  });

  it.each([
    ['a certain key, one spent', settled(V1), { spent: 1 }, 'free'],
    ['a certain key, two spent', settled(V1), { spent: 2 }, 'last'],
    ['a certain key, two spent as the card told', settled(V1), { spent: 2, told: 2 }, 'last'],
    ['a certain key, all spent, which nobody answered', settled(V1), { spent: 3, told: 1 }, 'last'],
    ['a certain key, all spent as the card told', settled(V1), { spent: 3, told: 3 }, 'locked'],
    ['in doubt, none spent', inDoubt, { spent: 0 }, 'free'],
    ['in doubt, one spent', inDoubt, { spent: 1 }, 'spare'],
    ['in doubt, two spent', inDoubt, { spent: 2 }, 'last'],
  ] as const)('the next attempt of %s', (_name, slot, count, next) => {
    const now = { ...slot, ...count };
    expect(nextTry(now, 3)).toBe(next);
    expect(mayTry(now, 3)).toBe(next === 'free');
    expect(mayTry({ ...now, granted: 'spare' }, 3)).toBe(next === 'free' || next === 'spare');
    expect(mayTry({ ...now, granted: 'last' }, 3)).toBe(next !== 'locked');
    expect(mayTry({ ...now, granted: 'last', refused: true }, 3)).toBe(false);
    expect(spendTry({ ...now, granted: 'last' }).granted).toBeUndefined();
  });

  it.each([
    ['none spent', settled(V1), 0, 'send', 'send'],
    ['in doubt, none spent', inDoubt, 0, 'send', 'send'],
    ['one spent, and the next may have gone to no card', settled(V1), 1, 'show-first', 'keep'],
    ['none left to spare', settled(V1), 2, 'keep', 'keep'],
  ] as const)('of a card that has not shown itself: %s', (_name, slot, count, yet, never) => {
    expect(attemptOf(spent(slot, count), 3, 'not-yet')).toBe(yet);
    expect(attemptOf(spent(slot, count), 3, 'never')).toBe(never);
  });

  it('what people allowed goes out to a card that shows itself, or cannot be brought to', () => {
    const allowed: KeySlotState = { ...spent(settled(V1), 2), granted: 'last' };
    const out = (['shown', 'not-yet', 'never'] as const).map((presence) => attemptOf(allowed, 3, presence));
    expect(out).toEqual(['send', 'show-first', 'send']);
  });

  it('a key the card refused though it was certain is never tried again', () => {
    const refused = disproven(settled(V1), V1, 2, 3);
    expect(refused).toMatchObject({ refused: true, spent: 1 });
    expect(mayTry({ ...refused, spent: 0 }, 3)).toBe(false);
  });

  it('the card corrects the ledger', () => {
    expect(disproven(spent(inDoubt, 1), V1, 1, 3).spent).toBe(2);
    expect(proven(spent(inDoubt, 2), V1).spent).toBe(0);
    expect(macAccepted({ ...spent(settled(V1), 2), refused: true })).toMatchObject({
      spent: 0,
      refused: false,
    });
  });

  it('a try is counted before it is sent, and given back only when it certainly never was', () => {
    expect(spendTry(settled(V1)).spent).toBe(1);
    expect(returnTry(spendTry(settled(V1))).spent).toBe(0);
    expect(returnTry(settled(V1)).spent).toBe(0);
  });

  it('a write gives no tries back', () => {
    expect(writeDone(spent(inDoubt, 1), V1).spent).toBe(1);
  });
});

const key = (origin: 'factory' | 'issuer', version = 1): KeyCandidate => ({
  origin,
  version,
  factor: '1234567890123456',
});

const OLD = key('factory');
const V1 = key('issuer', 1);
const V2 = key('issuer', 2);
const inDoubt: KeySlotState = { candidates: [V1, OLD], spent: 0, refused: false };

const names = (slot: KeySlotState) =>
  slot.candidates.map((one) => (one.origin === 'factory' ? 'old' : `v${one.version}`)).join(' or ');
