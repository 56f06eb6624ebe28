/** The text of a dialogue: what is read, and what is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DialogueError, parseDialogue } from '../../../app/simulator/dialogue/dialogue.ts';

describe('parseDialogue', () => {
  it('reads events, commands and answers, however they are spaced and remarked', () => {
    const { atr, steps } = parseDialogue(
      `# of a card\r\n${HEAD}! power on\n  > 00A4 0400 00   ; SELECT\n< 6F 00 9000\n\n> 80 50 ** **[7] 00\n< 6983`,
    );
    expect(atr).toHaveLength(9);
    expect(steps).toEqual([
      { kind: 'event', line: 4, event: 'power on' },
      { kind: 'command', line: 5, bytes: [0x00, 0xa4, 0x04, 0x00, 0x00] },
      { kind: 'answer', line: 6, bytes: [0x6f, 0x00, 0x90, 0x00] },
      { kind: 'command', line: 8, bytes: [0x80, 0x50, ...Array<undefined>(8).fill(undefined), 0x00] },
      { kind: 'answer', line: 9, bytes: [0x69, 0x83] },
    ]);
  });

  it.each([
    ['', 1, 'does not begin'],
    ['> 00A40400', 1, 'does not begin'],
    ['kaika-dialogue 1\n> 00A40400\n< 9000', 1, 'no line "atr"'],
    ['kaika-dialogue 2', 1, 'does not begin'],
    [`${HEAD}> 00A4040`, 3, 'even number'],
    [`${HEAD}> secret`, 3, 'even number'],
    [`${HEAD}< 90`, 3, 'status word'],
    [`${HEAD}? 90`, 3, 'a line begins with'],
    [`${HEAD}! explode`, 3, 'an event is one of'],
    [`${HEAD}atr 3B00`, 3, 'a second card'],
    ['kaika-dialogue 1\natr **', 2, 'not masked'],
    [`${HEAD}> **[99999]`, 3, 'more bytes'],
  ])('%j: line %i, %s', (text, line, reason) => {
    const error = failure(text);
    expect(error.line).toBe(line);
    expect(error.message).toContain(reason);
    // What stood there may be a key.
    expect(error.message).not.toContain('secret');
  });

  it('takes any text without another error', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '> ',
        '< ',
        '! ',
        '# ',
        '; ',
        'atr ',
        '**',
        '**[',
        ']',
        '\n',
        'power on',
        'kaika-dialogue 1\n',
      ),
      fc.string({ maxLength: 12 }),
      fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        try {
          parseDialogue(HEAD + pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(DialogueError);
        }
      }),
    );
  });
});

const HEAD = 'kaika-dialogue 1\natr 3B85014B41494B41CD\n';

function failure(text: string): DialogueError {
  try {
    parseDialogue(text);
  } catch (error) {
    if (error instanceof DialogueError) return error;
    throw error;
  }
  throw new Error('was read');
}
