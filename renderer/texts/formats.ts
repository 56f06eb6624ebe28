/** Numbers, money, times and names as people read them. Pure. */
import type { T } from './texts.ts';

/** Digits in groups of four, as they stand on a card. */
export function grouped(digits: string): string {
  return digits.replace(/(\d{4})(?=\d)/g, '$1 ');
}

/** Thousands of bytes, as card makers count; below ten with one decimal. */
export function kilobytes(bytes: number, t: T): string {
  const value = bytes / 1000;
  return t('format.kilobytes', { kilobytes: value < 10 ? value : Math.round(value) });
}

/** `cents` of renminbi. */
export function money(cents: number, t: T): string {
  return t('format.money', { amount: cents / 100 });
}

export function percent(value: number, t: T): string {
  return t('format.percent', { share: value / 100 });
}

/** The time of day; with the date when it was not today. */
export function moment(iso: string, t: T, now: number): string {
  const at = new Date(iso);
  const today = at.toDateString() === new Date(now).toDateString();
  return t(today ? 'format.time' : 'format.date-and-time', { at });
}

/** Whole seconds below a minute, in steps of five so that the number does not flicker; minutes above. */
export function duration(milliseconds: number): {
  readonly unit: 'seconds' | 'minutes';
  readonly count: number;
} {
  const seconds = Math.max(5, Math.ceil(milliseconds / 5_000) * 5);
  return seconds < 60
    ? { unit: 'seconds', count: seconds }
    : { unit: 'minutes', count: Math.ceil(seconds / 60) };
}

/** A reader's name without the counters that PC/SC puts behind it (pcsclite: two bytes; Windows: a number). */
export function readerName(name: string): string {
  const short = name
    .replace(/(?:\s+\d{1,2}){1,2}$/, '')
    .replace(/\s*\([^)]*\)|\s*\[[^\]]*\]/g, '')
    .trim();
  return short === '' ? name : short;
}
