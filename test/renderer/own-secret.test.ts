/** What is wrong with a password that somebody chooses. */
import { expect, it } from 'vitest';
import { newSecretSchema } from '../../app/protocol/wire.ts';
import { secretFault } from '../../renderer/features/entrance/own-secret.ts';

it.each([
  ['short', 'seven77', 'seven77'],
  ['long', 'x'.repeat(257), 'x'.repeat(257)],
  ['same', 'the old one', 'the old one'],
  ['differs', 'one of mine', 'one of mine '],
  [undefined, 'eight888', 'eight888'],
  [undefined, 'x'.repeat(256), 'x'.repeat(256)],
])('%s', (fault, chosen, again) => {
  expect(secretFault('the old one', chosen, again)).toBe(fault);
  // The server has the same bounds.
  if (fault !== 'same' && fault !== 'differs')
    expect(newSecretSchema.safeParse(chosen).success).toBe(fault === undefined);
});
