/** Random choices that a seed repeats: an attack that found something can be played again. */
import { createHash } from 'node:crypto';

export interface Dice {
  /** A whole number from 0 to `below` - 1. */
  number(below: number): number;
  chance(share: number): boolean;
  one<T>(from: readonly T[]): T;
  /** Upper-case hexadecimal text of so many bytes. */
  hex(bytes: number): string;
  /** Decimal digits that do not begin with 0. */
  digits(count: number): string;
}

export function diceOf(seed: string): Dice {
  let at = 0;
  const next = (): number => {
    at += 1;
    return createHash('sha256').update(`${seed}:${at}`).digest().readUInt32BE(0);
  };
  const number = (below: number) => next() % below;
  return {
    number,
    chance: (share) => next() / 0x1_0000_0000 < share,
    one<T>(from: readonly T[]): T {
      const chosen = from[number(from.length)];
      if (chosen === undefined) throw new Error('nothing to choose from');
      return chosen;
    },
    hex: (bytes) =>
      Array.from({ length: bytes }, () => number(256).toString(16).padStart(2, '0'))
        .join('')
        .toUpperCase(),
    digits: (count) =>
      Array.from({ length: count }, (_, at) => (at === 0 ? 1 + number(9) : number(10))).join(''),
  };
}
