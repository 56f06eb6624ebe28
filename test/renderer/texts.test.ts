/** The window's words: whole in both languages, all of them used, none of them technical. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LOCALES, messagesSchema } from '../../app/station/messages.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const texts = (locale: string) =>
  messagesSchema.parse(JSON.parse(readFileSync(join(ROOT, `resources/locales/${locale}.json`), 'utf8'))).ui;
const sources = readdirSync(join(ROOT, 'renderer'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(ROOT, 'renderer', file), 'utf8') }));

const en = texts('en');
const zh = texts('zh-CN');

describe('words', () => {
  it('are the same in both languages, with the same values in them', () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
    for (const [key, text] of Object.entries(en))
      expect([key, holes(zh[key] ?? '')]).toEqual([key, holes(text)]);
  });

  it('are all used', () => {
    const whole = sources.map(({ text }) => text).join('\n');
    // Some keys are put together: `state.${state}`.
    const built = [...whole.matchAll(/`([a-z-]+\.(?:[a-z]+-)?)\$\{/g)].map(([, start]) => start ?? '');
    const unused = Object.keys(en).filter(
      (key) => !whole.includes(`'${key}'`) && !built.some((start) => key.startsWith(start)),
    );
    expect(unused).toEqual([]);
  });

  it('stand in the locale files and nowhere else', () => {
    const chinese = sources.filter(
      ({ file, text }) => !file.startsWith('mock') && /[\u4e00-\u9fff]/.test(text.replace("'中文'", '')),
    );
    expect(chinese.map(({ file }) => file)).toEqual([]);
  });

  it.each(LOCALES)('in %s show staff no card internals', (locale) => {
    const all = Object.values(texts(locale)).join('\n');
    expect(all).not.toMatch(/\b(AID|APDU|SW1|SW2|status word|HSM|PC\/SC|TLS|KCV|SELECT|SCP0\d|JSON)\b/i);
    expect(all).not.toMatch(/状态字|密钥|\b[0-9A-F]{4,}\b/);
  });

  it('in English are short enough for their place', () => {
    for (const state of ['enabled', 'installed', 'missing', 'unforeseen', 'unread']) {
      expect((en[`state.${state}`] ?? '').length).toBeLessThanOrEqual(24);
    }
  });
});

const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
