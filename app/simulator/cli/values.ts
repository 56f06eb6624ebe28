/** What the single options take. Every function throws UsageError; the sentence never repeats a key. */
import { readAtr } from '../atr.ts';
import { isProfileName, PROFILES, type ProfileName } from '../profiles.ts';

/** A command line that cannot be followed, in a sentence for the person at the terminal. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

export function profileOf(text: string): ProfileName {
  if (isProfileName(text)) return text;
  throw new UsageError(`There is no profile "${text}"; there are ${Object.keys(PROFILES).join(', ')}.`);
}

export function scpOf(text: string): '02' | '03' {
  if (text === '02' || text === '03') return text;
  throw new UsageError('--scp takes 02 or 03.');
}

export function latencyOf(text: string): 'none' | 'realistic' {
  if (text === 'none' || text === 'realistic') return text;
  throw new UsageError('--latency takes realistic or none.');
}

export function codeOf(text: string): string {
  if (!/^\d{16}$/.test(text)) throw new UsageError('--code takes 16 digits.');
  return text;
}

export function fileOf(text: string, option: string): string {
  if (text === '') throw new UsageError(`${option} takes the name of a file.`);
  return text;
}

export function byte(least: number, most: number): (text: string, option: string) => number {
  return (text, option) => {
    const value = /^[0-9A-Fa-f]{1,2}$/.test(text) ? Number.parseInt(text, 16) : -1;
    if (value < least || value > most)
      throw new UsageError(`${option} takes one byte in hexadecimal, ${two(least)} to ${two(most)}.`);
    return value;
  };
}

function two(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, '0');
}

export function decimal(least: number, most: number): (text: string, option: string) => number {
  return (text, option) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
    if (value < least || value > most)
      throw new UsageError(`${option} takes a number from ${least} to ${most}.`);
    return value;
  };
}

export function atrOf(text: string, option: string): string {
  const digits = text.replace(/[\s:]/g, '').toUpperCase();
  if (!/^(?:[0-9A-F]{2})+$/.test(digits)) throw new UsageError(`${option} takes bytes in hexadecimal.`);
  const atr = readAtr(Uint8Array.from(Buffer.from(digits, 'hex')));
  if (typeof atr === 'string') throw new UsageError(`${option}: ${atr}.`);
  return digits;
}

export function keyOf(text: string, option: string): string {
  if (!/^(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{48}|[0-9A-Fa-f]{64})$/.test(text))
    throw new UsageError(`${option} takes 16, 24 or 32 bytes in hexadecimal.`);
  return text.toUpperCase();
}
