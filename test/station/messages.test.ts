import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../app/protocol/errors.ts';
import { errorText, LOCALES, messagesSchema, stepText } from '../../app/station/messages.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

describe.each(LOCALES)('texts in %s', (locale) => {
  const raw: unknown = JSON.parse(read(`resources/locales/${locale}.json`));

  it('has one for every error and step, and no other', () => {
    const messages = messagesSchema.parse(raw);
    expect(Object.keys(messages.errors).sort()).toEqual([...ERROR_CODES].sort());
  });

  it('shows staff no card internals', () => {
    const text = Object.values(messagesSchema.parse(raw).errors)
      .flatMap((one) => Object.values(one))
      .concat(Object.values(messagesSchema.parse(raw).steps))
      .join('\n');
    expect(text).not.toMatch(/\b(AID|APDU|SW1|SW2|status word|HSM|PC\/SC|TLS|KCV|SELECT)\b/i);
    expect(text).not.toMatch(/状态字|\b[0-9A-F]{4,}\b/);
  });

  it('fills details in, or leaves them out', () => {
    const messages = messagesSchema.parse(raw);
    const full = errorText(
      messages,
      locale,
      'not-enough-memory',
      { suggestions: ['transit', 'identity'] },
      (app) => app.toUpperCase(),
    );
    expect(full.detail).toContain('TRANSIT');
    expect(full.detail).toContain('IDENTITY');
    expect(errorText(messages, locale, 'not-enough-memory').detail).toBeUndefined();
    expect(stepText(messages, 'load-block')).not.toBe('');
  });
});

it('docs/errors.md has one section a code, with cause and cure', () => {
  const sections = read('docs/errors.md').split(/^## /m).slice(1);
  expect(sections.map((section) => section.split('\n')[0]).sort()).toEqual([...ERROR_CODES].sort());
  for (const section of sections) {
    expect(section).toMatch(/\*\*Cause\.\*\* \S/);
    expect(section).toMatch(/\*\*Cure\.\*\* \S/);
  }
});
