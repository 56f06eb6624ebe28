/** What staff read when something goes wrong: whole in every language, without a card's internals. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../app/protocol/errors.ts';
import { LANGUAGES, messagesIn, textsIn } from '../support/texts.ts';

describe.each(LANGUAGES)('texts in %s', (language) => {
  const messages = messagesIn(language);
  const texts = textsIn(language);

  it('has one for every error and step, and no other', () => {
    expect(Object.keys(messages.errors).sort()).toEqual([...ERROR_CODES].sort());
  });

  it('shows staff no card internals', () => {
    const text = Object.values(messages.errors)
      .flatMap((one) => Object.values(one))
      .concat(Object.values(messages.steps), Object.values(messages.reasons))
      .join('\n');
    expect(text).not.toMatch(/\b(AID|APDU|SW1|SW2|status word|HSM|PC\/SC|TLS|KCV|SELECT)\b/i);
    expect(text).not.toMatch(/状态字|\b[0-9A-F]{4,}\b/);
  });

  it('fills details in, or leaves them out', () => {
    const suggestions = ['transit', 'identity'];
    const full = texts.error('not-enough-memory', { suggestions }, (app) => app.toUpperCase());
    expect(full.detail).toContain(texts.list(['TRANSIT', 'IDENTITY']));
    expect(texts.error('not-enough-memory').detail).toBeUndefined();
    expect(texts.error('not-enough-memory', { suggestions: [] }).detail).toBeUndefined();
    expect(texts.step('load-block')).not.toBe('');
  });

  it('never shows a reason as a code: one that a newer server knows is left out', () => {
    expect(texts.error('card-set-aside', { reason: 'key-damaged' }).detail).toContain(
      messages.reasons['key-damaged'],
    );
    expect(texts.error('card-set-aside', { reason: 'something-newer' }).detail).toBeUndefined();
  });
});

it('docs/errors.md has one section a code, with cause and cure', () => {
  const docs = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const sections = docs.split(/^## /m).slice(1);
  expect(sections.map((section) => section.split('\n')[0]).sort()).toEqual([...ERROR_CODES].sort());
  for (const section of sections) {
    expect(section).toMatch(/\*\*Cause\.\*\* \S/);
    expect(section).toMatch(/\*\*Cure\.\*\* \S/);
  }
});
