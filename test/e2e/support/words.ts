/** What must never stand on a screen that a clerk sees. */
import { readFileSync } from 'node:fs';
import { ERROR_CODES } from '../../../app/protocol/errors.ts';
import { stepNameSchema } from '../../../app/protocol/wire.ts';
import { messagesIn } from '../../support/texts.ts';

type Language = 'zh-CN' | 'en';

const read = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../resources/${path}`, import.meta.url), 'utf8'));
const WORDS = messagesIn('en').words;
const IDS = [
  ...(read('apps.json') as { id: string }[]).map((app) => app.id),
  'demo-scp03',
  'demo-scp02',
  ...ERROR_CODES,
  ...stepNameSchema.options,
].filter((id) => id.includes('-'));
/**
 * English texts that would give themselves away on a Chinese screen: without values, and longer than a word both may use. What a language
 * calls itself is no such text: who looks for it in the settings reads no other.
 */
const ENGLISH = Object.entries(WORDS)
  .filter(([key, text]) => key !== 'language.name' && text.length > 6 && !text.includes('{'))
  .map(([, text]) => text);

/** Everything on a screen that must not be there, with where it stood; empty when all is well. */
export function unfit(text: string, language: Language): string[] {
  // Card and account numbers stand in groups of four digits, and any four digits look like a status word.
  const plain = text.replace(/\d{4}(?: \d{1,4})+/g, '#');
  const found: string[] = [];
  const look = (what: string, pattern: RegExp) => {
    for (const [match] of plain.matchAll(pattern)) found.push(`${what}: ${match}`);
  };
  look('status word', /(?<![\w.])[69][0-9A-F]{3}(?![\w.])/g);
  look('hex string or AID', /\b(?=[0-9]*[A-F])(?=[A-F]*[0-9])[0-9A-F]{6,}\b/gi);
  look('placeholder', /\{\w+\}/g);
  look('nothing', /\b(?:undefined|null|NaN|\[object \w+\])\b/g);
  for (const key of Object.keys(WORDS)) {
    if (plain.split(/[\s,;()]+/).includes(key)) found.push(`untranslated key: ${key}`);
  }
  for (const id of IDS) {
    if (new RegExp(`(?<![\\w-])${id}(?![\\w-])`).test(plain)) found.push(`internal name: ${id}`);
  }
  if (language === 'zh-CN') {
    const lines = new Set(plain.split('\n').map((line) => line.trim()));
    for (const words of ENGLISH) if (lines.has(words)) found.push(`English on the Chinese screen: ${words}`);
  }
  return found;
}
