/** Numbers, money, times and names as people read them. Pure. */
import type { Locale } from '../../electron/ipc-schema/texts.ts';

/** Digits in groups of four, as they stand on a card. */
export function grouped(digits: string): string {
  return digits.replace(/(\d{4})(?=\d)/g, '$1 ');
}

/** Thousands of bytes, as card makers count; below ten with one decimal. */
export function kilobytes(bytes: number, locale: Locale): string {
  const value = bytes / 1000;
  const digits = value < 10 && bytes % 1000 !== 0 ? 1 : 0;
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)} KB`;
}

/** `cents` of renminbi. */
export function money(cents: number, locale: Locale): string {
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: 'CNY',
    currencyDisplay: 'narrowSymbol',
  }).format(cents / 100);
}

export function percent(value: number, locale: Locale): string {
  return new Intl.NumberFormat(locale, { style: 'percent' }).format(value / 100);
}

/** The time of day; with the date when it was not today. */
export function moment(iso: string, locale: Locale, now: number): string {
  const then = new Date(iso);
  const time = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hour12: false }).format(
    then,
  );
  if (then.toDateString() === new Date(now).toDateString()) return time;
  return `${day(iso, locale)} ${time}`;
}

export function day(iso: string, locale: Locale): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'long' }).format(new Date(iso));
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
