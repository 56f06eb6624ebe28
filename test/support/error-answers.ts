/** What an error may say over the line, and what never. */
import { expect } from 'vitest';
import { errorBodySchema } from '../../app/protocol/errors.ts';
import type { Answer } from './https-rig.ts';

/** An error body, and nothing in it that is nobody's business. */
export function expectError(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status, body: { code } });
  expectDiscreet(answer);
}

/** An error body without a path, a stack, SQL, names of the token or what a card said. */
export function expectDiscreet(answer: Answer): void {
  const body = errorBodySchema.parse(answer.body);
  expect(answer.text).not.toMatch(/\/(work|home|root|tmp|usr|var)\//);
  expect(answer.text).not.toMatch(/node_modules|\.ts\b|\bat .*:\d+|SQLITE|select |insert |update .* set/i);
  expect(answer.text).not.toMatch(/kaika-issuer|softhsm|CKR_|pkcs11|token/i);
  expect(body.message).not.toMatch(/[0-9A-F]{16}/);
}
